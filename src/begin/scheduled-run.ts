/** One run of a schedule: whose permission it has, and how it begins. */
import type { ScheduleSettings } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import type { StartedBy } from "../core/event.ts";
import type { Actor, Repository, RunId } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import type { Github } from "../ports/github.ts";
import { demandHarness } from "../routing/harness-names.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { LoadedSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import { beginRun, repositoryProcesses } from "./begin-run.ts";
import { demandPlaceOf } from "./demand-place.ts";

export interface ScheduledRun {
  dependencies: Dependencies;
  runner: Pick<Runner, "wake">;
  github: Github;
  repository: Repository;
  loaded: LoadedSettings;
  rule: ScheduleSettings;
  /** Number of the dashboard issue. */
  dashboard: number;
  actor: Actor;
  commentId: number | null;
  operationKey: string;
  started: StartedBy;
}

/** The person who brought the rules onto the default branch, with what they may now. Refused where nobody is known. */
export async function ruleAuthor(github: Github, repository: Repository, { path }: LoadedSettings): Promise<Actor> {
  const file = path ?? "baton.yaml";
  const change = await github.lastChange(repository, file, repository.defaultBranch);
  if (change === null || change.by === null)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `GitHub does not say who brought the newest change of \`${file}\` onto \`${repository.defaultBranch}\`. Change the file by a pull request that a person merges.`,
    );
  return github.actor(repository, change.by);
}

export async function beginScheduled(given: ScheduledRun): Promise<RunId> {
  const { dependencies, github, repository, loaded, rule, dashboard, actor, operationKey, started } = given;
  const { settings } = loaded;
  const { bot } = await dependencies.github.identity();
  const verdict = decideCommand({
    command: "run",
    actor,
    ownUserId: bot.id,
    needs: "run",
    headIsFork: false,
    worksOnHead: true,
    settings,
  });
  if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
  const { instructions = "", ...inputs } = rule.with;
  const context = {
    dependencies,
    runner: given.runner,
    github,
    repository,
    issue: await github.issue(repository, dashboard),
    pullRequest: null,
    actor,
    commentId: given.commentId,
    writtenAt: null,
    place: "",
    settings,
    settingsSha: loaded.sha,
    configuration: loaded,
    command: { name: "run", positional: [], options: {}, text: String(instructions) },
    operationKey,
    verdict,
    run: null,
    lastRun: null,
    workOf: null,
  };
  const found = await repositoryProcesses(context).find(rule.process);
  if (found === null) throw await repositoryProcesses(context).unknown(rule.process);
  demandPlaceOf(dependencies.processes, found.definition, null);
  const [unknown] = Object.keys(inputs);
  if (found.file === null && unknown !== undefined)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `\`${rule.process}\` has no input \`${unknown.slice(0, 60)}\`. In \`with\`, write \`instructions\`.`,
    );
  return beginRun(context, {
    process: rule.process,
    harness: rule.harness === null ? null : demandHarness(rule.harness, [...dependencies.harnesses.keys()]),
    model: null,
    budgetUsd: rule.budgetUsd,
    instructions: String(instructions),
    inputs,
    retryOf: null,
    schedule: started,
  });
}
