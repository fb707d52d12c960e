/**
 * Decides whether Baton may start a workflow on its own branch: judged again before each start, for any settings.
 *
 * JD1 The base says which workflows Baton may start. GitHub runs the branch's file, so Baton judges that file, too.
 * JD2 Baton never starts a file that it cannot read.
 */
import type { Repository } from "../core/vocabulary.ts";
import { isCalledPath, localCalls } from "../onboarding/called-files.ts";
import { workflowsFolder } from "../onboarding/facts.ts";
import { shown } from "../onboarding/workflow-yaml.ts";
import { readWorkflow } from "../onboarding/workflows.ts";
import type { Github } from "../ports/github.ts";

export interface Place {
  repository: Repository;
  /** The branch that was pushed. */
  head: string;
  base: string;
}

type Files = Pick<Github, "file" | "branchSha">;

export type Judgement = { may: "start" } | { may: "not-there" } | { may: "not"; reason: string };

export async function judgeDispatch(github: Files, place: Place, workflow: string): Promise<Judgement> {
  // GitHub also accepts the number of a workflow, which gives Baton no file to judge.
  if (!/^[\w][\w.-]*\.ya?ml$/.test(workflow)) return { may: "not", reason: "It is not the file name of a workflow." };
  const [baseSha, headSha] = await Promise.all([
    github.branchSha(place.repository, place.base),
    github.branchSha(place.repository, place.head),
  ]);
  if (baseSha === null || headSha === null) return { may: "not-there" };
  const onBase = await reasonsAt(github, place, { workflow, sha: baseSha });
  const onHead = await reasonsAt(github, place, { workflow, sha: headSha });
  if (onHead === null) return { may: "not-there" };
  if (onBase === null)
    return { may: "not", reason: `Only ${shown(place.head)} has it; ${shown(place.base)} does not.` };
  if (onBase.length > 0) return { may: "not", reason: onBase.join(" ") };
  if (onHead.length > 0) return { may: "not", reason: `${shown(place.head)} changes it: ${onHead.join(" ")}` };
  return { may: "start" };
}

/** null: the file does not exist. */
async function reasonsAt(
  github: Files,
  { repository, base, head }: Place,
  { workflow, sha }: { workflow: string; sha: string },
): Promise<string[] | null> {
  const path = `${workflowsFolder}${workflow}`;
  const texts = await filesAt(github, repository, { path, sha });
  const text = texts.get(path);
  if (text === undefined) return null;
  const read = readWorkflow(path, text, { base, head, read: (called) => texts.get(called) ?? null })?.workflow;
  if (read === undefined) return ["Baton cannot read it."];
  if (read.leftOut.length > 0) return read.leftOut;
  return read.isCi ? [] : ["No pull request starts it."];
}

/** Files that one workflow may lead to: a limit, so that a maze of calls ends. */
const filesMax = 30;

async function filesAt(
  github: Files,
  repository: Repository,
  { path, sha }: { path: string; sha: string },
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const asked = new Set<string>();
  const open = [path];
  for (let next = open.pop(); next !== undefined && asked.size < filesMax; next = open.pop()) {
    if (asked.has(next) || !isCalledPath(next)) continue;
    asked.add(next);
    const text = await github.file(repository, next, sha);
    if (text === null) continue;
    texts.set(next, text);
    open.push(...localCalls(text));
  }
  return texts;
}
