/**
 * The pages for people in a browser: without sign-in, and they show everything. They are read-only, except for a player
 * (`speak.ts`). The server listens on this machine only.
 */
import type { Answer } from "../answer.ts";
import { pullRange } from "../deeds/pulls.ts";
import { git } from "../git.ts";
import { isPull } from "../resources/pull-request.ts";
import type { Site } from "../site.ts";
import { findRepository, type Repository } from "../state.ts";
import { textPage } from "./layout.ts";
import { homePage, listPage, rawPage, repositoryPage, runPage } from "./other-pages.ts";
import { threadPage } from "./thread-page.ts";

/** Null: no page has this path. */
export async function pages(site: Site, path: string): Promise<Answer | null> {
  const [owner = "", name = "", ...rest] = path.split("/").slice(1).map(decode);
  if (owner === "") return homePage(site);
  const repository = findRepository(site.state, owner, name);
  return repository === undefined ? null : below(site, repository, rest);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

async function below(site: Site, repository: Repository, rest: string[]): Promise<Answer | null> {
  const [kind = "", id = "", ...more] = rest;
  switch (kind) {
    case "":
      return repositoryPage(site, repository);
    case "issues":
    case "pulls":
      if (id === "") return listPage(site, repository, kind);
      return thread(site, repository, id);
    case "pull":
      return thread(site, repository, id);
    case "runs":
      return run(site, repository, Number(id));
    case "actions":
      // actions/runs/<run>/job/<job>: the job is the check run.
      return more[1] === "job" ? run(site, repository, Number(more[2])) : null;
    case "_logs": {
      const log = repository.jobLogs.get(Number.parseInt(id, 10));
      return log === undefined ? null : textPage(log);
    }
    case "raw":
    case "blob":
      return rawPage(site, repository, [id, ...more]);
    default:
      return null;
  }
}

async function thread(site: Site, repository: Repository, id: string): Promise<Answer | null> {
  const found = repository.threads.get(Number(id.replace(/\.(?:diff|patch)$/, "")));
  if (found === undefined) return null;
  if (!id.includes(".")) return threadPage(site, repository, found);
  if (!isPull(found)) return null;
  const { directory, from, to } = await pullRange(site, repository, found.pull);
  return textPage(await git(directory, ["diff", "-M", "--no-color", from, to]));
}

function run(site: Site, repository: Repository, id: number): Answer | null {
  const found = repository.checkRuns.get(id);
  return found === undefined ? null : runPage(site, repository, found);
}
