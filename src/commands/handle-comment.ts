/**
 * From a comment, or the text of a new issue, to a command, a helpful refusal, or nothing.
 *
 * HC1 A stranger's plain comment costs no call to GitHub: the text is read first.
 * HC2 Permission is read from GitHub now, by login and compared by id; what the payload claims decides nothing.
 * HC3 Every outcome is one outbox row by what holds the command: delivered twice, answered once.
 */

import { type BatonError, errorCatalogue, hasCode, isBatonError, toBatonError } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { RunId } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import type { NewOutboxRow } from "../ports/store.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { threadKeyOf } from "../runner/ledger-rows.ts";
import { loadSettings } from "../runner/load-settings.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import type { Runner } from "../runner/runner.ts";
import { grammars } from "../thread/grammar/index.ts";
import { renderProblems } from "../thread/help.ts";
import { neutraliseLine } from "../thread/neutralise.ts";
import { type ParsedCommand, parseCommand } from "../thread/parse-command.ts";
import type { CommandContext } from "./context.ts";
import { commandHandlers } from "./index.ts";
import { workOf } from "./no-run.ts";

export interface CommentEvent {
  repository: { id: number; owner: string; name: string; defaultBranch: string; installationId: number };
  number: number;
  /** null: the command is in the text of the issue itself. */
  commentId: number | null;
  body: string;
  author: { id: number; login: string; kind: "user" | "bot" };
}

export async function handleComment(dependencies: Dependencies, runner: Runner, event: CommentEvent): Promise<string> {
  const parsed = parseCommand(event.body, grammars);
  if (parsed.kind === "none") return "no command";
  const owners = dependencies.owners ?? null;
  // Silence: an account that is not served learns nothing, and costs nothing.
  if (owners !== null && !owners.includes(event.repository.owner.toLowerCase()))
    return `${event.repository.owner} is not among BATON_OWNERS`;
  const { bot } = await dependencies.github.identity();
  if (event.author.id === bot.id) return "own comment";
  const github = await dependencies.github.installation(event.repository.installationId);
  const send = (rows: NewOutboxRow[]): Promise<void> => dependencies.store.write({ outbox: rows });
  const loaded = await loadSettings(github, event.repository, event.repository.defaultBranch);
  const { settings } = loaded;
  // A bot that is not listed gets silence: an answer could be its next command.
  if (event.author.kind === "bot" && !settings.commands.bots.includes(event.author.id))
    return "a bot that commands.bots does not list";
  await send([reactionRow(event, "eyes")]);
  if (parsed.kind === "unknown" || parsed.kind === "invalid") {
    await send([replyRow(dependencies, event, misspelt(event, parsed)), reactionRow(event, "confused")]);
    return parsed.kind === "unknown" ? `unknown command "${parsed.word}"` : `invalid command: ${parsed.problem}`;
  }
  const grammar = grammars.find(({ name }) => name === parsed.name);
  const handler = commandHandlers[parsed.name];
  if (grammar === undefined || handler === undefined) throw new TypeError(`No handler for ${parsed.name}.`);
  const operationKey = event.commentId === null ? sourceOf(event) : `comment:${event.commentId}`;
  try {
    const actor = await github.actor(event.repository, event.author);
    const issue = await github.issue(event.repository, event.number);
    const pullRequest = issue.isPullRequest ? await github.pullRequest(event.repository, event.number) : null;
    const base = pullRequest === null ? loaded : await loadSettings(github, event.repository, pullRequest.baseRef);
    const verdict = decideCommand({
      command: parsed.name,
      actor,
      ownUserId: bot.id,
      needs: grammar.needs,
      headIsFork: pullRequest !== null && pullRequest.headRepositoryId !== event.repository.id,
      worksOnHead: grammar.worksOnHead,
      settings: base.settings,
    });
    if (verdict.status !== "passed") {
      await send([replyRow(dependencies, event, `🚫 ${verdict.reason}`), reactionRow(event, "-1")]);
      return `refused: ${verdict.reason}`;
    }
    if (base.problems.length > 0 && grammar.worksOnHead) {
      const text = `⚠️ Nothing was started: the configuration has errors.\n\n${renderProblems(base.path, base.problems)}`;
      await send([replyRow(dependencies, event, text), reactionRow(event, "confused")]);
      return `configuration has errors: ${base.problems.length} in ${base.path}`;
    }
    const threadKey = threadKeyOf({ thread: { repository: event.repository, number: event.number, kind: "issue" } });
    const active = await dependencies.store.activeRun(threadKey);
    const last = (await dependencies.store.runs({ threadKey, limit: 1 }))[0];
    const context: CommandContext = {
      dependencies,
      runner,
      github,
      repository: event.repository,
      issue,
      pullRequest,
      actor,
      commentId: event.commentId,
      settings: base.settings,
      settingsSha: base.sha,
      configuration: base,
      command: parsed,
      operationKey,
      verdict,
      run: active === null ? null : await runner.state(active),
      lastRun: last === undefined ? null : await rootRun(dependencies, last.runId),
      workOf: workOf(pullRequest, bot.id),
    };
    const reply = await handler(context);
    await send([
      ...(reply === null ? [] : [replyRow(dependencies, event, reply)]),
      reactionRow(event, parsed.name === "run" || parsed.name === "retry" ? "rocket" : "+1"),
    ]);
    return `did ${parsed.name}`;
  } catch (thrown) {
    const error = toBatonError(thrown);
    // What may pass by itself brings the delivery back; what cannot is said in the thread.
    if (error.treatment === "retryable") throw error;
    if (!isBatonError(thrown)) dependencies.log.error("A command failed unexpectedly", { error: thrown, operationKey });
    const said = hasCode(thrown, "BATON_POLICY_DENIED") ? "🚫" : "⚠️";
    await send([
      replyRow(
        dependencies,
        event,
        `${said} ${neutraliseLine(error.message)}\n\n${errorCatalogue[error.code].remedy} (\`${error.code}\`)`,
      ),
      reactionRow(event, "confused"),
    ]);
    return `refused: ${error.message} (${error.code})`;
  }
}

/** A command that could not be carried out, nor refused: said in the thread as soon as GitHub takes it, so that nobody waits for it. */
export async function answerGivenUp(dependencies: Dependencies, event: CommentEvent, error: BatonError): Promise<void> {
  if (event.author.kind === "bot" || parseCommand(event.body, grammars).kind !== "command") return;
  const text = `⚠️ @${event.author.login}, this could not be carried out: ${neutraliseLine(error.message)}\n\nPlease give the command again. (\`${error.code}\`)`;
  await dependencies.store.write({ outbox: [replyRow(dependencies, event, text), reactionRow(event, "confused")] });
}

function misspelt(event: CommentEvent, parsed: Extract<ParsedCommand, { kind: "unknown" | "invalid" }>): string {
  const who = `@${event.author.login}`;
  if (parsed.kind === "invalid") {
    const usage = grammars.find(({ name }) => name === parsed.name)?.usage ?? parsed.name;
    return `🤔 ${who}, \`/baton ${parsed.name}\` ${neutraliseLine(parsed.problem)}. Nothing was done.\n\nIt is written \`/baton ${usage}\`.`;
  }
  const meant = parsed.suggestion === null ? "" : ` Did you mean \`/baton ${parsed.suggestion}\`?`;
  return `🤔 ${who}, there is no command \`${neutraliseLine(parsed.word).replaceAll("`", "'") || "(empty)"}\`.${meant} Nothing was done. \`/baton help\` lists the commands.`;
}

/** What holds the command, in the names of what answers it. */
function sourceOf({ commentId, repository, number }: CommentEvent): string {
  return commentId === null ? `issue:${repository.id}/${number}` : `${commentId}`;
}

function replyRow(dependencies: Dependencies, event: CommentEvent, text: string): NewOutboxRow {
  const body = dependencies.redact(text);
  return outboxRow({
    operationKey: `reply:${sourceOf(event)}`,
    repository: event.repository,
    kind: "comment",
    payload: { number: event.number, body },
    priority: 10,
  });
}

function reactionRow(event: CommentEvent, content: string): NewOutboxRow {
  return outboxRow({
    operationKey: `reaction:${sourceOf(event)}:${content}`,
    repository: event.repository,
    kind: "reaction",
    payload: { commentId: event.commentId, number: event.number, content },
    priority: 5,
  });
}

/** The run that people began: a child run is listed in the thread of its parent, and is newer. */
async function rootRun({ store }: Pick<Dependencies, "store">, runId: RunId): Promise<RunState> {
  const state = fold(await store.read(runId));
  return state.parent === null ? state : rootRun({ store }, state.parent.runId);
}
