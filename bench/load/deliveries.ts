/** GitHub's deliveries to an App on a busy day: its own published example payloads, signed. They contain no command. */
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";

interface Example {
  name: string;
  examples: Record<string, unknown>[];
}

export interface Parcel {
  event: string;
  body: Buffer;
  signature: string;
}

const busy = new Set([
  "check_run",
  "check_suite",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "push",
  "status",
  "workflow_run",
]);

/** Alternates between the events. Each payload has about 15 kB. */
export function parcels(secret: string): Parcel[] {
  const published = createRequire(import.meta.url)("@octokit/webhooks-examples") as Example[];
  const lists = published
    .filter(({ name }) => busy.has(name))
    .map(({ name, examples }) =>
      examples.map((example): Parcel => {
        // Deliveries to an App name their installation. Most examples come from a repository's hook.
        const body = Buffer.from(JSON.stringify({ ...example, installation: { id: 1, node_id: "MDIz" } }));
        return { event: name, body, signature: `sha256=${createHmac("sha256", secret).update(body).digest("hex")}` };
      }),
    );
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, row) => lists.flatMap((list) => list[row % list.length] ?? [])).flat();
}
