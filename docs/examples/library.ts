/** A program that runs Baton inside itself: no thread command, no webhook door. */
import { builtInProcesses } from "../../processes/index.ts";
import { type Actor, type Baton, type RunSummary, readSettings, startBaton, type Thread } from "../../src/library.ts";
import { secondOpinion } from "./second-opinion.ts";

export async function start(environment: Record<string, string | undefined>): Promise<Baton> {
  return startBaton(readSettings(environment), { processes: builtInProcesses().register(secondOpinion) });
}

export async function ask(
  { runs }: Baton,
  thread: Thread,
  requestedBy: Actor,
  task: { title: string; body: string; baseSha: string },
): Promise<RunSummary> {
  const { runId } = await runs.create({
    key: `second-opinion:${thread.repository.id}#${thread.number}`,
    process: "second-opinion",
    input: {
      thread: {
        number: thread.number,
        kind: thread.kind,
        title: task.title,
        body: task.body,
        author: requestedBy.login,
        authorPermission: requestedBy.permission,
        comments: [],
      },
      instructions: "",
      projectInstructions: "",
      repository: { owner: thread.repository.owner, name: thread.repository.name },
      baseBranch: thread.repository.defaultBranch,
      baseSha: task.baseSha,
    },
    thread,
    requestedBy,
    budgetUsd: 2,
    settings: { harness: { default: "command" }, limits: { attemptUsd: 1 } },
  });
  return runs.advance(runId);
}

/** What waits for people, over all repositories. */
export async function waiting({ runs }: Baton): Promise<string[]> {
  const active = await runs.list({ active: true });
  return active.flatMap(({ runId, waitsFor }) => waitsFor.map(({ sentence }) => `${runId}: ${sentence}`));
}
