/**
 * One run of a rule, a schedule or a trigger: its permission, and its beginning.
 *
 * RR1 Baton judges a rule before it writes anything for it. A refusal opens no issue.
 * RR2 A rule that no person sets off has the permission of the last person who changed `baton.yaml`. For a process of the
 *     repository, the last person who changed each of its files counts too. The lowest of these permissions holds. None of
 *     these people approves its work.
 */
import type { ScheduleSettings } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import type { RunEvent, StartedBy } from "../core/event.ts";
import type { Actor, Repository, RunId, Verdict } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import { atLeast } from "../policy/permission.ts";
import type { Github } from "../ports/github.ts";
import type { Fence } from "../ports/store.ts";
import { demandHarness } from "../routing/harness-names.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { LoadedSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import { beginRun } from "./begin-run.ts";
import { demandPlaceOf } from "./demand-place.ts";
import { type FoundProcess, RepositoryProcesses, refuseWith } from "./load-processes.ts";

export interface RuleRun {
  dependencies: Dependencies;
  runner: Pick<Runner, "wake">;
  github: Github;
  repository: Repository;
  loaded: LoadedSettings;
  rule: Pick<ScheduleSettings, "process" | "with" | "budgetUsd" | "harness" | "priority"> &
    Partial<Pick<ScheduleSettings, "deadlineMinutes" | "paths">>;
  /** Number of its thread. A function opens the dashboard issue at the last moment (RR1). */
  thread: number | (() => Promise<number>);
  /** The person whose permission the run has. `authors`: the people whose files it runs. */
  actor: Actor | "authors";
  commentId: number | null;
  operationKey: string;
  startedBy: StartedBy;
  /** The lease under which Baton decided to start it. */
  holds?: Fence;
  /** Others than permitted people set the rule off, so its process must change nothing. */
  changesNothing?: boolean;
}

export async function beginRule(given: RuleRun): Promise<RunId> {
  const { dependencies, github, repository, loaded, rule, operationKey, startedBy } = given;
  const { settings } = loaded;
  const { bot } = await dependencies.github.identity();
  const { found, instructions, inputs } = await demandRule(dependencies, given);
  if (given.changesNothing === true && found.definition.reach === undefined)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `\`${rule.process}\` may change files, and \`openTo\` is for processes that change nothing: \`explore\`, \`plan\`, \`review\`, \`verify\`.`,
    );
  const known = typeof given.thread === "number" ? await threadOf(github, repository, given.thread) : null;
  const pullRequest = known?.pullRequest ?? null;
  demandPlaceOf(dependencies.processes, found.definition, pullRequest);
  const people: Person[] =
    given.actor === "authors"
      ? await ruleAuthors(github, repository, loaded, found)
      : [{ actor: given.actor, path: null }];
  const judged = people.map(({ actor, path }) => {
    const verdict = decideCommand({
      command: "run",
      actor,
      ownUserId: bot.id,
      needs: "run",
      headIsFork: pullRequest !== null && pullRequest.headRepositoryId !== repository.id,
      worksOnHead: true,
      settings,
    });
    return { actor, path, verdict: path === null ? verdict : aboutFile(verdict, path) };
  });
  const refused = judged.find(({ verdict }) => verdict.status !== "passed");
  if (refused !== undefined) {
    const file = refused.path === null ? "" : ` @${refused.actor.login} last changed \`${refused.path}\`.`;
    throw new BatonError("BATON_POLICY_DENIED", `${refused.verdict.reason}${file}`);
  }
  const [weakest, ...others] = judged.toSorted(({ actor: a }, { actor: b }) =>
    a.permission === b.permission ? 0 : atLeast(a.permission, b.permission) ? 1 : -1,
  );
  if (weakest === undefined) throw new BatonError("BATON_INTERNAL", "A rule without anybody.");
  const { actor, verdict } = weakest;
  const harness = rule.harness === null ? null : demandHarness(rule.harness, [...dependencies.harnesses.keys()]);
  const { issue } =
    known ??
    (await threadOf(github, repository, typeof given.thread === "number" ? given.thread : await given.thread()));
  const context = {
    dependencies,
    runner: given.runner,
    github,
    repository,
    issue,
    pullRequest,
    actor,
    commentId: given.commentId,
    settings,
    settingsSha: loaded.sha,
    command: { name: "run" },
    operationKey,
    verdict,
    lastRun: null,
  };
  const authors = given.actor === "authors" ? judged.map((one) => ({ id: one.actor.id, login: one.actor.login })) : [];
  return beginRun(context, {
    process: rule.process,
    harness,
    model: null,
    budgetUsd: rule.budgetUsd,
    instructions: String(instructions),
    inputs,
    retryOf: null,
    priority: rule.priority,
    deadlineMinutes: rule.deadlineMinutes ?? null,
    paths: rule.paths ?? [],
    startedBy: authors.length > 0 ? { ...startedBy, authors } : startedBy,
    decided: others.map(
      (one): RunEvent => ({
        type: "policy.decided",
        action: "run",
        actor: one.actor,
        verdict: one.verdict,
        operationKey: null,
      }),
    ),
    ...(given.holds === undefined ? {} : { holds: given.holds }),
  });
}

/** The process of a rule and its inputs. Refuses an unknown process, and inputs that it does not have. */
export async function demandRule(
  { processes: builtIn }: Pick<Dependencies, "processes">,
  {
    github,
    repository,
    loaded,
    rule,
  }: Pick<RuleRun, "github" | "repository" | "loaded"> & { rule: Pick<RuleRun["rule"], "process" | "with"> },
): Promise<{ found: FoundProcess; instructions: unknown; inputs: Record<string, unknown> }> {
  const processes = new RepositoryProcesses(builtIn, github, repository, loaded.sha);
  const found = await processes.find(rule.process);
  if (found === null) throw await processes.unknown(rule.process);
  const { instructions = "", ...inputs } = rule.with;
  refuseWith(rule.process, found.file, inputs);
  return { found, instructions, inputs };
}

/** A person, and the file that they changed last. null: they asked themselves. */
interface Person {
  actor: Actor;
  path: string | null;
}

/** RR2: one entry for each person, with their permission now. Refuses if GitHub does not name the person. */
async function ruleAuthors(
  github: Github,
  repository: Repository,
  { path }: LoadedSettings,
  { definition }: FoundProcess,
): Promise<Person[]> {
  const { source } = definition;
  const files = [
    path ?? "baton.yaml",
    ...(source === undefined ? [] : [source.path, ...source.uses.map((one) => one.path)]),
  ];
  const people: Person[] = [];
  for (const file of new Set(files)) {
    const change = await github.lastChange(repository, file, repository.defaultBranch);
    if (change === null || change.by === null)
      throw new BatonError(
        "BATON_POLICY_DENIED",
        `GitHub does not say who brought the newest change of \`${file}\` onto \`${repository.defaultBranch}\`. Change the file by a pull request that a person merges.`,
      );
    const { id } = change.by;
    if (!people.some(({ actor }) => actor.id === id))
      people.push({ actor: await github.actor(repository, change.by), path: file });
  }
  return people;
}

/** For `/baton why`. */
function aboutFile(verdict: Verdict, path: string): Verdict {
  return { ...verdict, evidence: [...verdict.evidence, { label: "last changed", value: path }] };
}

async function threadOf(github: Github, repository: Repository, number: number) {
  const issue = await github.issue(repository, number);
  return { issue, pullRequest: issue.isPullRequest ? await github.pullRequest(repository, number) : null };
}
