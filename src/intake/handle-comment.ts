/**
 * From a comment, or the text of a new issue, to a command, a helpful refusal, or nothing.
 *
 * HC1 A stranger's plain comment costs no call to GitHub: Baton reads the text first.
 * HC2 Baton reads the permission from GitHub now, by login, and compares the id. Claims in the payload decide nothing.
 * HC4 Baton writes nothing to GitHub for a person before it knows their permission. A slip by a person who may not run or
 *     steer gets silence. `words.ts` bounds the answers to others.
 * HC5 One process handles the comments of a thread one after the other, so that the answers come in the order asked.
 * HC3 Every outcome is one outbox row, keyed by the source of the command. Two deliveries get one answer.
 */

import { z } from "zod";
import { actorOf, listedBots } from "../begin/bots.ts";
import { workOf } from "../begin/work-of.ts";
import type { Command, Reply } from "../commands/command.ts";
import { commands } from "../commands/index.ts";
import type { Settings } from "../config/schema.ts";
import { isOver } from "../core/decide.ts";
import { BatonError, errorCatalogue, hasCode, isBatonError, toBatonError } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import { type Actor, type Json, type RunId, shortRunId, type Verdict } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import { forkLane } from "../policy/fork-lane.ts";
import { atLeast } from "../policy/permission.ts";
import { isServed } from "../policy/served-owners.ts";
import type { Github } from "../ports/github.ts";
import type { NewOutboxRow } from "../ports/store.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { threadKeyOf } from "../runner/ledger-rows.ts";
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import type { Runner } from "../runner/runner.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import type { CommandGrammar } from "../thread/grammar.ts";
import { renderProblems } from "../thread/help.ts";
import { calledNames, isTalk, type ParsedCommand, parseCommand } from "../thread/parse-command.ts";
import type { CommentOutcome } from "./outcome.ts";
import { type Voice, voiceFor } from "./words.ts";

export interface CommentEvent {
  repository: { id: number; owner: string; name: string; defaultBranch: string; installationId: number };
  number: number;
  /** null: the command is in the text of the issue. */
  commentId: number | null;
  body: string;
  author: { id: number; login: string; kind: "user" | "bot" };
  /** GitHub's time. null: the event does not say. */
  writtenAt: string | null;
  /** The source of the command, if it is neither a comment of the thread nor the text of the issue. */
  source?: { kind: "review"; id: number } | ({ kind: "line"; id: number } & Line);
}

/** A line of a change. */
interface Line {
  path: string;
  /** null: the comment is on the file, or on a line that no longer exists. */
  line: number | null;
  hunk: string;
}

/** A request, and the person who made it. */
interface Heard {
  parsed: Exclude<ParsedCommand, { kind: "none" }>;
  github: Github;
  bot: { id: number };
  /** Settings of the default branch. */
  loaded: LoadedSettings;
  actor: Actor;
  /** Whether they may run or steer. */
  trusted: boolean;
}

/** Reads only. A returned text says why Baton hears nobody, for the log. */
export async function hear(
  dependencies: Pick<Dependencies, "github" | "owners">,
  event: CommentEvent,
): Promise<Heard | string> {
  let parsed = parseCommand(event.body, commands);
  const called = parsed.kind === "none" ? calledNames(event.body) : [];
  if (parsed.kind === "none" && called.length === 0) return "no command";
  // Silence: an account that Baton does not serve learns nothing and costs nothing.
  if (!isServed(dependencies.owners, event.repository.owner))
    return `${event.repository.owner} is not among BATON_OWNERS`;
  const { bot, slug: ownSlug } = await dependencies.github.identity();
  const slug = ownSlug.toLowerCase();
  if (event.author.id === bot.id) return "own comment";
  // HC1: a person who only talks to somebody costs no call either.
  if (parsed.kind === "none" && !called.some(({ name, word }) => name === slug || isCommandWord(word)))
    return "no command";
  const github = await dependencies.github.installation(event.repository.installationId);
  const loaded = await loadSettings(github, event.repository, event.repository.defaultBranch);
  const { settings } = loaded;
  if (parsed.kind === "none") {
    const { mention } = settings.commands;
    parsed = parseCommand(event.body, commands, [slug, ...(mention === null ? [] : [mention])]);
    if (parsed.kind === "none") return "no command";
    parsed = asQuestion(parsed, event);
  }
  // A bot that is not listed gets silence, because an answer could be its next command.
  const bots = listedBots(settings);
  if (event.author.kind === "bot" && !bots.has(event.author.id)) return "a bot that commands.bots does not list";
  const actor = await actorOf(github, event, bots);
  const trusted = mayRunOrSteer(actor, settings);
  const slip = parsed.kind === "unknown" || parsed.kind === "invalid";
  if (slip && !trusted) return "a slip of somebody without permission, who gets silence";
  return { parsed, github, bot, loaded, actor, trusted };
}

/** In a thread at a line, a call by name that is not a command is a question about the line. A slip stays a slip. */
function asQuestion(parsed: Heard["parsed"], { source }: CommentEvent): Heard["parsed"] {
  if (source?.kind !== "line" || parsed.kind === "command") return parsed;
  const isSlip = parsed.kind === "invalid" || parsed.suggestion !== null;
  if (isSlip && !/[?？]\s*$/.test(parsed.line)) return parsed;
  return { kind: "command", name: "ask", positional: [], options: {}, text: parsed.line };
}

/** Judges by the settings of the thread's branch. */
export async function judgeCommand(
  { github, loaded, bot, actor }: Omit<Heard, "parsed" | "trusted">,
  { repository, number }: Pick<CommentEvent, "repository" | "number">,
  parsed: { name: string; text?: string; options?: Readonly<Record<string, unknown>> },
  grammar: Pick<CommandGrammar, "needs" | "worksOnHead">,
) {
  const issue = await github.issue(repository, number);
  const pullRequest = issue.isPullRequest ? await github.pullRequest(repository, number) : null;
  const base = pullRequest === null ? loaded : await loadSettings(github, repository, pullRequest.baseRef);
  const verdict = decideCommand({
    command: parsed.name,
    actor,
    ownUserId: bot.id,
    needs: grammar.needs,
    headIsFork: pullRequest !== null && pullRequest.headRepositoryId !== repository.id,
    worksOnHead: grammar.worksOnHead,
    ...(pullRequest === null ? {} : { lane: forkLane(parsed, pullRequest.headSha) }),
    settings: base.settings,
  });
  return { issue, pullRequest, base, verdict };
}

/** HC5 */
export function handleComment(
  dependencies: Dependencies,
  runner: Runner,
  event: CommentEvent,
): Promise<CommentOutcome> {
  // Talk neither waits nor makes others wait.
  if (isTalk(event.body, commands)) return Promise.resolve({ kind: "ignored", reason: "no command" });
  const key = `${event.repository.id}#${event.number}`;
  return inTurn(dependencies.store, key, () => handleInTurn(dependencies, runner, event));
}

/** The last comment of each thread that is being handled, by store. */
const turns = new WeakMap<object, Map<string, Promise<void>>>();

/** Runs the work for one thread after the work that began earlier there (HC5). */
export function inTurn<T>(store: object, key: string, act: () => Promise<T>): Promise<T> {
  const queue = turns.get(store) ?? new Map<string, Promise<void>>();
  turns.set(store, queue);
  const mine = (queue.get(key) ?? Promise.resolve()).then(act);
  const over = mine.then(
    () => {},
    () => {},
  );
  queue.set(key, over);
  void over.then(() => {
    if (queue.get(key) === over) queue.delete(key);
  });
  return mine;
}

/** Parse (`hear`), permit (`judgeCommand`), act (`carryOut`). */
async function handleInTurn(dependencies: Dependencies, runner: Runner, event: CommentEvent): Promise<CommentOutcome> {
  const heard = await hear(dependencies, event);
  if (typeof heard === "string") return { kind: "ignored", reason: heard };
  const { parsed, actor, trusted } = heard;
  const threadKey = threadKeyOf({ thread: { repository: event.repository, number: event.number, kind: "issue" } });
  const voice = await voiceFor(dependencies, { threadKey, authorId: actor.id, trusted });
  const answer = answerWith(dependencies, event, { voice, threadKey });
  if (trusted && voice !== "silence") await dependencies.store.write({ outbox: reactionRows(event, "eyes") });
  if (parsed.kind === "unknown" || parsed.kind === "invalid") {
    await answer(misspelt(event, parsed), "confused");
    const reason =
      parsed.kind === "unknown" ? `unknown command "${parsed.word}"` : `invalid command: ${parsed.problem}`;
    return { kind: "misspelt", reason };
  }
  const command = commands.find(({ name }) => name === parsed.name);
  if (command === undefined) throw new TypeError(`There is no command ${parsed.name}.`);
  const operationKey = event.commentId === null ? sourceOf(event) : `comment:${event.commentId}`;
  const refuse = async (verdict: Verdict): Promise<void> => {
    if (voice !== "silence")
      await noteRefusal(dependencies, runner, { threadKey, actor, verdict, operationKey, action: parsed.name });
  };
  try {
    const judged = await judgeCommand(heard, event, parsed, command);
    const { base, verdict } = judged;
    if (verdict.status !== "passed") {
      await refuse(verdict);
      await answer(`🚫 ${verdict.reason}`, "-1");
      return { kind: "refused", reason: `refused: ${verdict.reason}` };
    }
    if (base.problems.length > 0 && command.worksOnHead) {
      const text = `⚠️ Nothing was started: the configuration has errors.\n\n${renderProblems(base.path, base.problems)}`;
      await answer(text, "confused");
      return { kind: "misconfigured", reason: `configuration has errors: ${base.problems.length} in ${base.path}` };
    }
    const reply = await carryOut({
      dependencies,
      runner,
      event,
      heard,
      parsed,
      judged,
      command,
      threadKey,
      operationKey,
    });
    await answer(
      reply,
      parsed.name === "run" || parsed.name === "retry" ? "rocket" : "+1",
      questionOf(parsed, event.author.id),
    );
    return { kind: "done", command: parsed.name };
  } catch (thrown) {
    const error = toBatonError(thrown);
    // A failure that may pass brings the delivery back. Baton reports any other failure in the thread.
    if (error.treatment === "retryable") throw error;
    if (!isBatonError(thrown)) dependencies.log.error("A command failed unexpectedly", { error: thrown, operationKey });
    const said = hasCode(thrown, "BATON_POLICY_DENIED") ? "🚫" : "⚠️";
    if (isBatonError(thrown)) await refuse(refusal(parsed.name, error));
    await answer(
      `${said} ${neutraliseLine(error.message)}\n\n${errorCatalogue[error.code].remedy} (\`${error.code}\`)`,
      "confused",
    );
    return { kind: "refused", reason: `refused: ${error.message} (${error.code})` };
  }
}

/** A newer answer to the same question folds an older one. null: answers to this command stay. */
function questionOf(
  { name, positional }: Extract<ParsedCommand, { kind: "command" }>,
  authorId: number,
): string | null {
  if (name === "help") return ["help", ...positional, `by ${authorId}`].join(" ");
  return name === "status" || name === "cost" || name === "why" ? name : null;
}

const lastAnswersMax = 50;
/** The operation key of the last answer, by question. */
const lastAnswers = defineValues("answers:", z.record(z.string(), z.string()));

/** HC3 */
function answerWith(
  dependencies: Pick<Dependencies, "store" | "redact">,
  event: CommentEvent,
  { voice, threadKey }: { voice: Voice; threadKey: string },
): (text: string | null, reaction: string, question?: string | null) => Promise<void> {
  const { store } = dependencies;
  return async (text, reaction, question = null) => {
    const outbox = voice === "silence" ? [] : reactionRows(event, reaction);
    if (text === null || voice !== "words") return store.write({ outbox });
    const reply = replyRow(dependencies, event, text);
    if (question === null) return store.write({ outbox: [reply, ...outbox] });
    // A repeated delivery has its answer, which a newer one may have folded.
    if ((await store.outboxRow(reply.operationKey)) !== null) return store.write({ outbox });
    const key = lastAnswers.at(threadKey);
    // Anybody may ask for help, so Baton forgets the oldest.
    const { [question]: before, ...others } = (await readValue(store, key)) ?? {};
    const kept = Object.fromEntries(Object.entries(others).slice(1 - lastAnswersMax));
    // Everybody gets their answer: one that is not posted yet is not folded.
    const isPosted = before !== undefined && ((await store.outboxRow(before))?.result ?? null) !== null;
    // First, so that Actions mode pushes both at once.
    await writeValue(store, key, { ...kept, [question]: reply.operationKey });
    await store.write({ outbox: [foldable(reply), ...(isPosted ? [supersededRow(event, before)] : []), ...outbox] });
  };
}

/** The answer as one that can be folded later. */
function foldable(reply: NewOutboxRow): NewOutboxRow {
  return { ...reply, kind: "question", payload: { ...(reply.payload as object), open: true } as Json };
}

function supersededRow({ repository, number }: CommentEvent, operationKey: string): NewOutboxRow {
  return outboxRow({
    operationKey,
    repository,
    kind: "question",
    payload: { number, body: "", open: false, because: "outdated" },
    priority: 70,
    content: "superseded",
  });
}

/** Carries out a command that its author may give, with everything that its handler reads. */
async function carryOut(given: {
  dependencies: Dependencies;
  runner: Runner;
  event: CommentEvent;
  heard: Heard;
  parsed: Extract<ParsedCommand, { kind: "command" }>;
  judged: Awaited<ReturnType<typeof judgeCommand>>;
  command: Command;
  threadKey: string;
  operationKey: string;
}): Promise<Reply> {
  const { dependencies, runner, event, heard, parsed, judged, command, threadKey, operationKey } = given;
  const { github, bot, actor } = heard;
  const { issue, pullRequest, base, verdict } = judged;
  const active = await activeRunIn(dependencies, threadKey, command.needsRun);
  const last = (await dependencies.store.runs({ threadKey, limit: 1 }))[0];
  return command.handle({
    dependencies,
    runner,
    commands,
    github,
    repository: event.repository,
    issue,
    pullRequest,
    actor,
    commentId: event.commentId,
    writtenAt: event.writtenAt ?? (await writtenAt(github, event)),
    place: placeOf(event),
    lineCommentId: event.source?.kind === "line" ? event.source.id : null,
    settings: base.settings,
    settingsSha: base.sha,
    configuration: base,
    command: parsed,
    operationKey,
    verdict,
    run: active === null ? null : await runner.state(active),
    lastRun: last === undefined ? null : await rootRun(dependencies, last.runId),
    workOf: workOf(pullRequest, bot.id),
  });
}

/**
 * Reports a command that Baton could neither carry out nor refuse, as soon as GitHub accepts the comment. So nobody waits
 * for it.
 */
export async function answerGivenUp(
  dependencies: Pick<Dependencies, "store" | "redact">,
  event: CommentEvent,
  error: BatonError,
): Promise<void> {
  if (event.author.kind === "bot" || parseCommand(event.body, commands).kind !== "command") return;
  const text = `⚠️ @${event.author.login}, Baton could not do this: ${neutraliseLine(error.message)}\n\nPlease give the command again. (\`${error.code}\`)`;
  await dependencies.store.write({ outbox: [replyRow(dependencies, event, text), ...reactionRows(event, "confused")] });
}

function misspelt(event: CommentEvent, parsed: Extract<ParsedCommand, { kind: "unknown" | "invalid" }>): string {
  const who = `@${event.author.login}`;
  if (parsed.kind === "invalid") {
    const usage = commands.find(({ name }) => name === parsed.name)?.usage ?? parsed.name;
    const problem = neutraliseLine(parsed.problem);
    return `🤔 ${who}: ${/[.?!]$/.test(problem) ? problem : `${problem}.`} Nothing was started.\n\nUsage: \`/baton ${usage}\`.`;
  }
  const meant = parsed.suggestion === null ? "" : ` Did you mean \`/baton ${parsed.suggestion}\`?`;
  const word = neutraliseLine(parsed.word).replaceAll("`", "'") || "(empty)";
  const ready = `To give it as an instruction, write:\n\n${fenced(`/baton run ${parsed.line}`)}`;
  return `🤔 ${who}, there is no command \`${word}\`.${meant} Nothing was started. \`/baton help\` lists the commands.\n\n${ready}`;
}

/** A block that a person can copy. Nothing in it ends the block. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text.slice(0, 2_000)}\n${fence}`;
}

/** The time of a comment whose event does not say it. */
async function writtenAt(github: Github, { repository, number, commentId }: CommentEvent): Promise<string | null> {
  if (commentId === null) return null;
  const found = (await github.comments(repository, number)).find(({ id }) => id === commentId);
  return found?.createdAt ?? null;
}

function refusal(command: string, { message }: BatonError): Verdict {
  return { name: `command ${command}`, status: "failed", reason: message, evidence: [], children: [] };
}

/** For `/baton why`: a request to the thread's run that was refused. Kept once for each asking comment. */
async function noteRefusal(
  { store }: Pick<Dependencies, "store">,
  runner: Runner,
  asked: { threadKey: string; actor: Actor; verdict: Verdict; operationKey: string; action: string },
): Promise<void> {
  const { threadKey, ...decided } = asked;
  const active = await store.activeRun(threadKey);
  if (active === null) return;
  await runner.change(active, (state) =>
    isOver(state) || state.handled.has(asked.operationKey) ? [] : [{ type: "policy.decided", ...decided }],
  );
}

function isCommandWord(word: string): boolean {
  return commands.some(({ name, aliases }) => name === word || aliases.includes(word));
}

function mayRunOrSteer({ permission }: Actor, { commands }: Settings): boolean {
  return atLeast(permission, commands.run) || atLeast(permission, commands.steer);
}

const hunkCharactersMax = 4_000;

/** A command at a line is about that line. */
function placeOf({ source }: CommentEvent): string {
  if (source?.kind !== "line") return "";
  const at = source.line === null ? `\`${source.path}\`` : `\`${source.path}\`, line ${source.line}`;
  // The commented line is the last of its hunk.
  const hunk = source.hunk.slice(-hunkCharactersMax);
  return hunk === "" ? `This is about ${at}.` : `This is about ${at}:\n\n${fencedAs("diff", hunk)}`;
}

function fencedAs(language: string, text: string): string {
  return fenced(text).replace(/^(`+)text/, `$1${language}`);
}

/** The source of the command, as the code that answers names it. */
function sourceOf({ commentId, repository, number, source }: CommentEvent): string {
  if (source !== undefined) return `${source.kind}:${source.id}`;
  return commentId === null ? `issue:${repository.id}/${number}` : `${commentId}`;
}

function replyRow(dependencies: Pick<Dependencies, "redact">, event: CommentEvent, text: string): NewOutboxRow {
  const body = dependencies.redact(text);
  return outboxRow({
    operationKey: `reply:${sourceOf(event)}`,
    repository: event.repository,
    kind: "comment",
    payload: { number: event.number, body },
    priority: 10,
  });
}

/** GitHub's REST API has no reactions to reviews. */
function reactionRows(event: CommentEvent, content: string): NewOutboxRow[] {
  if (event.source?.kind === "review") return [];
  const lineId = event.source === undefined ? {} : { reviewCommentId: event.source.id };
  return [
    outboxRow({
      operationKey: `reaction:${sourceOf(event)}:${content}`,
      repository: event.repository,
      kind: "reaction",
      payload: { commentId: event.commentId, ...lineId, number: event.number, content },
      priority: 5,
    }),
  ];
}

/**
 * The run that a command is about. Runs of schedules hold no thread. If several of them are active in the dashboard issue, a
 * command is ambiguous.
 */
async function activeRunIn(
  { store }: Pick<Dependencies, "store">,
  threadKey: string,
  isNeeded: boolean,
): Promise<RunId | null> {
  const active = await store.activeRun(threadKey);
  if (active !== null) return active;
  const rows = await store.runs({ threadKey, active: true });
  const roots = new Map<RunId, RunState>();
  for (const { runId } of rows) {
    const root = await rootRun({ store }, runId);
    roots.set(root.runId, root);
  }
  const [only] = roots.keys();
  if (roots.size <= 1) return only ?? null;
  if (!isNeeded) return null;
  const names = [...roots.values()]
    .map(({ startedBy, runId }) => `\`${startedBy?.name ?? shortRunId(runId)}\``)
    .join(", ");
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `${roots.size} runs are active in this issue: ${names}. Review their pull requests, or cancel one with \`/baton schedule cancel NAME\`; then give the command again.`,
  );
}

/** The run that people began. A child run is newer, and is listed in the thread of its parent. */
export async function rootRun({ store }: Pick<Dependencies, "store">, runId: RunId): Promise<RunState> {
  const state = fold(await store.read(runId));
  return state.parent === null ? state : rootRun({ store }, state.parent.runId);
}
