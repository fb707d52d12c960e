/**
 * Commands whose jobs never ran: a full concurrency group drops a job, a runner or a download fails, and GitHub sends its
 * event to nobody else. What people wrote is still there: it is the list of what was asked, and is read again.
 *
 * Owns: what is read, from when on, what of it is a command that nobody took in. Does not own: carrying it out.
 * MC1 A text has one name however it is found, so that it is handled once (AE2).
 * MC2 What was edited is not executed: what it said when it was written is not known any more. Of an issue GitHub does not
 *     tell edits from other changes: its text counts while nothing happened to it.
 * MC3 The cursor only spares reading. It moves when everything before it is in an inbox; lost, more is read and known again.
 * MC4 What was written before the workflow was there, or more than a day ago, is left alone: it was said to nobody, or to
 *     another Baton, or its author has long seen that nothing came of it.
 */
import { z } from "zod";
import { commands as grammars } from "../commands/index.ts";
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github, WrittenFacts } from "../ports/github.ts";
import type { Delivery, NewDelivery } from "../ports/store.ts";
import { defineValue } from "../ports/values.ts";
import { mayBeCommand } from "../thread/parse-command.ts";
import { toActionEvent } from "./event.ts";

/** Clocks differ, and an event may come in later than its comment was written. */
const slackMs = 10 * 60_000;
/** So many read in vain are worth a push of the cursor. */
const readInVainMax = 100;
/** Kept in what all threads share: a time in milliseconds, before which everything was taken in. */
export const takenInUntil = defineValue("commands.taken-in-until", z.number());

interface Looking {
  github: Github;
  repository: Repository;
  workflowRunId: string;
  now: number;
}

/** In one thread, for who drives it. */
export async function missedComments(
  given: Looking & {
    number: number;
    /** What came in before this job's own event. */
    known: Iterable<Delivery>;
  },
): Promise<NewDelivery[]> {
  const { github, repository, number, now } = given;
  const known = [...given.known];
  const names = new Set(known.map(({ guid }) => guid));
  const since = lookFrom(now, Math.max(0, ...known.map(({ receivedAt }) => receivedAt)));
  const comments = await github.comments(repository, number, new Date(since).toISOString());
  return comments
    .map(({ id, ...comment }) => ({ ...comment, number, commentId: id }))
    .filter((comment) => isAsWritten(comment) && writtenAt(comment) >= since)
    .flatMap((comment) => asDelivery(given, comment) ?? [])
    .filter(({ guid }) => !names.has(guid));
}

export interface MissedCommands {
  /** By number of their thread, oldest first. */
  threads: Map<number, NewDelivery[]>;
  /** What the cursor is to be when all of `threads` are taken in; null: it is not worth a push. */
  cursor: number | null;
}

/** In all threads, for the schedule. */
export async function missedAnywhere(
  given: Pick<Looking, "workflowRunId" | "now"> & {
    github: Github;
    place: Pick<Repository, "owner" | "name">;
    cursor: number | null;
    /** At most so many threads; the next schedule takes the rest. */
    threadsMax: number;
    /** Asked for when there is a command at all. */
    repository(): Promise<Repository>;
    /** When the workflow was made; null: not known. */
    workflowMadeAt(): Promise<number | null>;
    /** Names of what came in for a thread. */
    knownIn(number: number): Promise<ReadonlySet<string>>;
  },
): Promise<MissedCommands> {
  const { github, place, cursor, now, threadsMax } = given;
  const threads: MissedCommands["threads"] = new Map();
  const from = lookFrom(now, cursor ?? 0);
  const { written, until } = await github.written(place, new Date(from).toISOString());
  let commands = written
    .filter((one) => isAsWritten(one) && writtenAt(one) >= from && mayBeCommand(one.body, grammars))
    .toSorted((a, b) => writtenAt(a) - writtenAt(b));
  if (commands.length > 0 && cursor === null) {
    const madeAt = (await given.workflowMadeAt()) ?? 0;
    commands = commands.filter((one) => writtenAt(one) >= madeAt);
  }
  let upTo = until === null ? now : Date.parse(until);
  const known = new Map<number, ReadonlySet<string>>();
  for (const one of commands) {
    const delivery = asDelivery({ ...given, repository: await given.repository() }, one);
    const names = known.get(one.number) ?? (await given.knownIn(one.number));
    known.set(one.number, names);
    if (delivery === null || names.has(delivery.guid)) continue;
    if (!threads.has(one.number) && threads.size >= threadsMax) {
      upTo = Math.min(upTo, writtenAt(one));
      break;
    }
    threads.set(one.number, [...(threads.get(one.number) ?? []), delivery]);
  }
  const next = lookFrom(now, upTo);
  // Where no command ever was there is no state, and none is begun for a cursor.
  const spares = commands.some((one) => writtenAt(one) < next) || (cursor !== null && written.length >= readInVainMax);
  return { threads, cursor: spares && upTo > (cursor ?? 0) ? upTo : null };
}

/** Whole seconds, as GitHub counts. */
function lookFrom(now: number, takenInUntil: number): number {
  return Math.floor(Math.max(now - limits.commandLookBackMs, takenInUntil - slackMs) / 1_000) * 1_000;
}

function writtenAt({ createdAt }: Pick<WrittenFacts, "createdAt">): number {
  return Date.parse(createdAt);
}

function isAsWritten({ createdAt, updatedAt }: Pick<WrittenFacts, "createdAt" | "updatedAt">): boolean {
  return createdAt === updatedAt;
}

/** As its event would have brought it; null: no command. */
function asDelivery(
  { repository, workflowRunId, now }: Pick<Looking, "repository" | "workflowRunId" | "now">,
  {
    number,
    commentId,
    body,
    author,
    createdAt,
  }: Pick<WrittenFacts, "number" | "commentId" | "body" | "author" | "createdAt">,
): NewDelivery | null {
  const user = { id: author.id, login: author.login, type: author.kind === "user" ? "User" : "Bot" };
  const event = toActionEvent({
    name: commentId === null ? "issues" : "issue_comment",
    payload: {
      ...(commentId === null
        ? { action: "opened", issue: { number, body, user, created_at: createdAt }, sender: { id: author.id } }
        : { action: "created", comment: { id: commentId, body, user, created_at: createdAt }, issue: { number } }),
      repository: {
        id: repository.id,
        name: repository.name,
        default_branch: repository.defaultBranch,
        owner: { login: repository.owner },
      },
    },
    workflowRunId,
    now,
  });
  return event.kind === "thread" ? event.delivery : null;
}
