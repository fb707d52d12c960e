/**
 * `baton run start owner/name#12 …`: an operator asks for the effect of `/baton run …` in that thread.
 *
 * OS1 The policy of the repository decides as in the thread, with the operator as an administrator.
 */

import { commands } from "../../commands/index.ts";
import { run } from "../../commands/run.ts";
import { BatonError } from "../../core/errors.ts";
import type { Actor, Repository } from "../../core/vocabulary.ts";
import { judgeCommand } from "../../intake/handle-comment.ts";
import { isServed } from "../../policy/served-owners.ts";
import { runIdOf } from "../../runner/create-run.ts";
import type { Dependencies } from "../../runner/dependencies.ts";
import { loadSettings } from "../../runner/load-settings.ts";
import type { Runner } from "../../runner/runner.ts";
import { parseCommand } from "../../thread/parse-command.ts";

export interface StartRequest {
  /** `owner/name`. */
  repository: string;
  number: number;
  /** The text as after `/baton run`. */
  text: string;
  by: Actor;
}

/** Returns the run's id. */
export async function startRun(dependencies: Dependencies, runner: Runner, request: StartRequest): Promise<string> {
  const { number, text, by: actor } = request;
  const parsed = parseCommand(`/baton run ${text}`.trim(), commands);
  if (parsed.kind !== "command" || parsed.name !== "run")
    throw new BatonError(
      "BATON_INPUT_INVALID",
      parsed.kind === "invalid"
        ? `${parsed.problem}. Usage: \`baton run start <owner/name#number> [text]\`.`
        : `\`${text.slice(0, 100)}\` is not a request for a run.`,
    );
  const repository = await repositoryNamed(dependencies, request.repository);
  const github = await dependencies.github.installation(repository.installationId);
  const { bot } = await dependencies.github.identity();
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const asked = { repository, number };
  const { issue, pullRequest, base, verdict } = await judgeCommand({ github, loaded, bot, actor }, asked, parsed, run);
  if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
  const [problem] = base.problems;
  if (problem !== undefined)
    throw new BatonError("BATON_INPUT_INVALID", `${base.path}, line ${problem.line}: ${problem.message}`);
  const operationKey = `operator:${dependencies.random.ulid(dependencies.clock.now())}`;
  await run.handle({
    dependencies,
    runner,
    commands,
    github,
    repository,
    issue,
    pullRequest,
    actor,
    commentId: null,
    writtenAt: null,
    place: "",
    lineCommentId: null,
    settings: base.settings,
    settingsSha: base.sha,
    configuration: base,
    command: parsed,
    operationKey,
    verdict,
    run: null,
    lastRun: null,
    workOf: null,
  });
  return runIdOf(operationKey);
}

async function repositoryNamed(
  { github, owners }: Pick<Dependencies, "github" | "owners">,
  name: string,
): Promise<Repository> {
  const [owner = ""] = name.split("/");
  if (!isServed(owners, owner)) throw new BatonError("BATON_POLICY_DENIED", `${owner} is not among BATON_OWNERS.`);
  const found = (await github.repositories()).find(
    (one) => `${one.owner}/${one.name}`.toLowerCase() === name.toLowerCase(),
  );
  if (found === undefined)
    throw new BatonError(
      "BATON_GITHUB_NOT_FOUND",
      `The App is not installed on ${name}, or there is no such repository.`,
    );
  return found;
}
