/** What people see in a browser. Read only. */
import type { Answer } from "../answer.ts";
import type { Site } from "../site.ts";
import { findRepository } from "../state.ts";

export async function pages(site: Site, path: string): Promise<Answer | null> {
  const [, owner = "", name = "", kind = "", rest = ""] = path.split("/");
  const repository = findRepository(site.state, owner, name);
  if (repository === undefined) return null;
  if (kind === "_logs") return jobLog(repository.jobLogs.get(Number.parseInt(rest, 10)));
  return null;
}

function jobLog(text: string | undefined): Answer | null {
  if (text === undefined) return null;
  return { status: 200, raw: { bytes: Buffer.from(text), type: "text/plain; charset=utf-8" } };
}
