/**
 * A command that comes by another way than a comment: the HTTP API. Policy, effect and order are those of a comment.
 *
 * HQ1 After each command, the thread names the person, the command and its way, as a comment would show them.
 * HQ2 Everything that happens is keyed by the request, so a repeated request happens once.
 * HQ3 A thread takes no more of these commands than answers: HC4's bounds for people who may run or steer.
 */
import { workOf } from "../begin/work-of.ts";
import { commands } from "../commands/index.ts";
import { BatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { RunState } from "../core/state.ts";
import type { Actor, Repository } from "../core/vocabulary.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { threadKeyOf } from "../runner/ledger-rows.ts";
import { loadSettings } from "../runner/load-settings.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import type { Runner } from "../runner/runner.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { renderProblems } from "../thread/help.ts";
import type { ParsedCommand } from "../thread/parse-command.ts";
import { fenced, inTurn, judgeCommand, rootRun } from "./handle-comment.ts";
import { voiceFor } from "./words.ts";

export interface CommandRequest {
  repository: Repository;
  number: number;
  actor: Actor;
  /** The way, as the thread shows it: `through the API, with the token ci`. */
  way: string;
  command: Extract<ParsedCommand, { kind: "command" }>;
  /** Equal for a repeated request. */
  operationKey: string;
  /** The run that the command is about. null: the command begins one. */
  runId: RunState["runId"] | null;
}

/** Carries the command out, or throws the reason. */
export function handleRequest(dependencies: Dependencies, runner: Runner, request: CommandRequest): Promise<void> {
  const key = threadKeyOf({ thread: { repository: request.repository, number: request.number, kind: "issue" } });
  return inTurn(dependencies.store, key, () => handleInTurn(dependencies, runner, request, key));
}

async function handleInTurn(
  dependencies: Dependencies,
  runner: Runner,
  request: CommandRequest,
  threadKey: string,
): Promise<void> {
  const { repository, actor, command: parsed, operationKey, runId } = request;
  const { store, clock } = dependencies;
  const command = commands.find(({ name }) => name === parsed.name);
  if (command === undefined) throw new TypeError(`There is no command ${parsed.name}.`);
  const noteKey = `reply:${operationKey}`;
  // A repeated request has its comment, and counts once.
  if ((await store.outboxRow(noteKey)) === null) {
    const voice = await voiceFor(dependencies, { threadKey, authorId: actor.id, trusted: true });
    if (voice !== "words")
      throw new BatonError(
        "BATON_RATE_LIMITED",
        `@${actor.login} gave ${limits.answersPerHourMax} commands here within an hour.`,
        {
          retryAfterMs: 10 * 60_000,
        },
      );
  }
  const github = await dependencies.github.installation(repository.installationId);
  const { bot } = await dependencies.github.identity();
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const judged = await judgeCommand({ github, loaded, bot, actor }, request, parsed, command);
  const { issue, pullRequest, base, verdict } = judged;
  if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
  if (base.problems.length > 0 && command.worksOnHead)
    throw new BatonError("BATON_INPUT_INVALID", `Nothing was started: ${renderProblems(base.path, base.problems)}`);
  const run = runId === null ? null : await runner.state(runId);
  const last = (await store.runs({ threadKey, limit: 1 }))[0];
  const reply = await command.handle({
    dependencies,
    runner,
    commands,
    github,
    repository,
    issue,
    pullRequest,
    actor,
    commentId: null,
    // The request names its question by a key that only a posted question shows. The slack covers the two clocks.
    writtenAt: new Date(clock.now() + limits.clocksDifferMs).toISOString(),
    place: "",
    lineCommentId: null,
    settings: base.settings,
    settingsSha: base.sha,
    configuration: base,
    command: parsed,
    operationKey,
    verdict,
    run,
    lastRun: run ?? (last === undefined ? null : await rootRun(dependencies, last.runId)),
    workOf: workOf(pullRequest, bot.id),
  });
  await note(dependencies, request, noteKey, reply);
}

/** HQ1 */
export async function note(
  { store, redact }: Pick<Dependencies, "store" | "redact">,
  {
    repository,
    number,
    actor,
    way,
    command,
  }: Pick<CommandRequest, "repository" | "number" | "actor" | "way" | "command">,
  operationKey: string,
  reply: string | null,
): Promise<void> {
  const words = [`/baton ${command.name}`, ...command.positional, command.text].join(" ").trim();
  const body = [
    `**${neutraliseLine(nameOf(actor))} gave \`/baton ${command.name}\` ${neutraliseLine(way)}.**`,
    fenced(words),
    ...(reply === null ? [] : [reply]),
  ].join("\n\n");
  await store.write({
    outbox: [
      outboxRow({ operationKey, repository, kind: "comment", payload: { number, body: redact(body) }, priority: 10 }),
    ],
  });
}

/** Nobody gets a notification: the person knows what they did. */
function nameOf({ id, login }: Actor): string {
  return id === 0 ? login : `@${login}`;
}
