/** The contents of a job's event file from GitHub: real payloads, addressed to the repository of the test. */
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import type { Platform } from "./platform.ts";

type Fields = Record<string, unknown>;

const collection = examples as unknown as { name: string; examples: Fields[] }[];

/** The example of this event and action, with these fields replaced. `schedule` has no example. */
export function realPayload(platform: Platform, event: string, action: string | null, change: object = {}): object {
  const list = collection.find(({ name }) => name === event)?.examples ?? [];
  const found = list.find((one) => action === null || one["action"] === action) ?? list[0];
  const base = found ?? { schedule: "*/15 * * * *", repository: {} };
  return merge(base, {
    ...(action === null ? {} : { action }),
    repository: { ...platform.about().repository, full_name: repositoryName },
    ...change,
  }) as object;
}

/** Merges maps, and replaces everything else. */
function merge(base: unknown, change: unknown): unknown {
  if (!isFields(change)) return change;
  const merged: Fields = isFields(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(change)) merged[name] = merge(merged[name], value);
  return merged;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
