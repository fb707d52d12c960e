/**
 * Commands whose jobs never ran. A full concurrency group drops a job, or a runner or a download fails. GitHub sends
 * the event to nobody else. The texts still exist, so Baton reads this list of requests again.
 *
 * Owns: which texts to read, from which time, and which of them are unhandled commands. Does not own: carrying them
 * out.
 * MC1 A text has one name in every search, so that Baton handles it once (AE2).
 * MC2 Baton never executes an edited text, because its original content is unknown. GitHub is asked only about texts that
 *     would be executed.
 * MC3 The cursor only reduces reading. It moves when everything before it is in an inbox. If it is lost, Baton reads
 *     more, and recognizes known texts.
 * MC4 Baton ignores a text from before the workflow existed, or from more than a day ago. It was for nobody, or for
 *     another Baton, or its author has long noticed the missing answer.
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

/** Clocks differ, and an event may arrive after its comment was written. */
const slackMs = 10 * 60_000;
/** After this many needless reads, moving the cursor is worth a push. */
const readInVainMax = 100;
/** Shared by all threads: a time in milliseconds. Everything before it is in an inbox. */
export const takenInUntil = defineValue("commands.taken-in-until", z.number());

interface Looking {
  github: Github;
  repository: Repository;
  workflowRunId: string;
  now: number;
}

/** In one thread, for its driver. */
export async function missedComments(
  given: Looking & {
    number: number;
    /** Deliveries from before this job's own event. */
    known: Iterable<Delivery>;
  },
): Promise<NewDelivery[]> {
  const { github, repository, number, now } = given;
  const known = [...given.known];
  const names = new Set(known.map(({ guid }) => guid));
  const since = lookFrom(now, Math.max(0, ...known.map(({ receivedAt }) => receivedAt)));
  const comments = await github.comments(repository, number, new Date(since).toISOString());
  const missed = comments
    .map(({ id, ...comment }) => ({ ...comment, number, commentId: id }))
    .filter((comment) => writtenAt(comment) >= since)
    .flatMap((comment): Candidate[] => {
      const delivery = asDelivery(given, comment);
      return delivery === null || names.has(delivery.guid) ? [] : [{ delivery, nodeId: comment.nodeId }];
    });
  return (await asWritten(github, missed)).map(({ delivery }) => delivery);
}

interface Candidate {
  delivery: NewDelivery;
  nodeId: string;
}

/** MC2 */
async function asWritten<T extends Candidate>(github: Pick<Github, "unedited">, candidates: T[]): Promise<T[]> {
  if (candidates.length === 0) return [];
  const unedited = await github.unedited(candidates.map(({ nodeId }) => nodeId));
  return candidates.filter(({ nodeId }) => unedited.has(nodeId));
}

export interface MissedCommands {
  /** By number of their thread, oldest first. */
  threads: Map<number, NewDelivery[]>;
  /** The new cursor once all of `threads` are in an inbox. null: moving it is not worth a push. */
  cursor: number | null;
}

/** In all threads, for the schedule. */
export async function missedAnywhere(
  given: Pick<Looking, "workflowRunId" | "now"> & {
    github: Github;
    place: Pick<Repository, "owner" | "name">;
    cursor: number | null;
    /** The most threads for one schedule. The next schedule handles the rest. */
    threadsMax: number;
    /** Called only if there is a command at all. */
    repository(): Promise<Repository>;
    /** When the workflow was created. null: unknown. */
    workflowMadeAt(): Promise<number | null>;
    /** Names of known deliveries of a thread. */
    knownIn(number: number): Promise<ReadonlySet<string>>;
  },
): Promise<MissedCommands> {
  const { github, place, cursor, now, threadsMax } = given;
  const candidates: (Candidate & { number: number })[] = [];
  const from = lookFrom(now, cursor ?? 0);
  const { written, until } = await github.written(place, new Date(from).toISOString());
  let commands = written
    .filter((one) => writtenAt(one) >= from && mayBeCommand(one.body, grammars))
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
    const numbers = new Set(candidates.map(({ number }) => number));
    if (!numbers.has(one.number) && numbers.size >= threadsMax) {
      upTo = Math.min(upTo, writtenAt(one));
      break;
    }
    candidates.push({ number: one.number, delivery, nodeId: one.nodeId });
  }
  const threads: MissedCommands["threads"] = new Map();
  for (const { number, delivery } of await asWritten(github, candidates))
    threads.set(number, [...(threads.get(number) ?? []), delivery]);
  const next = lookFrom(now, upTo);
  // Without any command there is no state, and a cursor alone does not create one.
  const spares = commands.some((one) => writtenAt(one) < next) || (cursor !== null && written.length >= readInVainMax);
  return { threads, cursor: spares && upTo > (cursor ?? 0) ? upTo : null };
}

/** Whole seconds, as in GitHub's API. */
function lookFrom(now: number, takenInUntil: number): number {
  return Math.floor(Math.max(now - limits.commandLookBackMs, takenInUntil - slackMs) / 1_000) * 1_000;
}

function writtenAt({ createdAt }: Pick<WrittenFacts, "createdAt">): number {
  return Date.parse(createdAt);
}

/** The delivery that its event would have made. null: the text is not a command. */
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
