/**
 * One random story of a question and its answers: reviews, dismissals, comments, pushes, other bases, `/baton approve`, in
 * any order. The breakpoint's performer and the answering command are real. This file repeats from the promise which answers
 * may pass.
 */

import { answerBreakpoint } from "../../../src/commands/answer-breakpoint.ts";
import type { CommandContext } from "../../../src/commands/command.ts";
import { type Settings, settingsSchema } from "../../../src/config/schema.ts";
import { observe } from "../../../src/core/decide.ts";
import { hasCode } from "../../../src/core/errors.ts";
import type { RunEvent } from "../../../src/core/event.ts";
import { applyEvent, fold } from "../../../src/core/fold.ts";
import type { RunState } from "../../../src/core/state.ts";
import type { Actor, EffectKey, Json, Permission, RunId } from "../../../src/core/vocabulary.ts";
import type { ReviewFact } from "../../../src/policy/review-decision.ts";
import type { Github } from "../../../src/ports/github.ts";
import { breakpointPerformer } from "../../../src/runner/perform/breakpoint.ts";
import type { PerformContext } from "../../../src/runner/perform/performer.ts";
import { alice } from "../../fakes/run-world.ts";
import { Draw } from "../draw.ts";

/** Guards that the test may switch off, to show that the oracle detects it. */
export type ReviewGuard = "head" | "people" | "objections" | "post";

const repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const permissions: readonly Permission[] = ["read", "triage", "write", "maintain", "admin"];
const atLeastWrite: ReadonlySet<Permission> = new Set(["write", "maintain", "admin"]);
const shaOf = (index: number): string => String(index).padStart(40, "0");

type Person = Actor;

interface Review {
  id: number;
  author: Person;
  state: ReviewFact["state"];
  sha: string;
  base: string;
}

interface Story {
  draw: Draw;
  people: Person[];
  reviews: Review[];
  head: string;
  base: string;
  /** The number of reviews when somebody last changed the base. null: nobody did. */
  reviewsAtBase: number | null;
  pusher: Person | null;
  author: Person;
  settings: Settings["approvals"];
}

/** Passes without a valid reason, each with its problem. */
export async function playReviews(seed: number, off: ReviewGuard | null = null): Promise<string[]> {
  const draw = new Draw(seed, "reviews");
  return draw.whole(0, 3) === 0 ? playPlan(draw, off) : playPull(draw, off);
}

function peopleOf(draw: Draw): Person[] {
  return Array.from({ length: draw.whole(2, 5) }, (_, index) => ({
    id: index + 1,
    login: `person-${index + 1}`,
    kind: draw.whole(0, 6) === 0 && index > 0 ? ("bot" as const) : ("user" as const),
    permission: index === 0 ? ("write" as const) : draw.one(permissions),
  }));
}

async function playPull(draw: Draw, off: ReviewGuard | null): Promise<string[]> {
  const people = peopleOf(draw);
  const requester = people[0] as Person;
  const story: Story = {
    draw,
    people,
    reviews: [],
    head: shaOf(1),
    base: "main",
    reviewsAtBase: null,
    pusher: null,
    author: draw.one([...people, { ...alice, id: 99, login: "baton[bot]", kind: "bot" as const }]),
    settings: settingsSchema.parse({
      approvals: {
        count: draw.whole(1, 2),
        self: draw.one(["deny", "deny", "allow"]),
        people: draw.whole(0, 3) === 0 ? [draw.one(people).login] : [],
      },
    }).approvals,
  };
  const subject = { sha: story.head, base: story.base };
  const wrong: string[] = [];
  let state = runWith(requester, story.settings, {
    title: "Review",
    kind: "review",
    question: "Is it right?",
    subject: { text: "It.", pullRequest: 3, sha: subject.sha, base: subject.base },
  });
  let shas = 1;
  for (let step = draw.whole(2, 9); step > 0; step -= 1) {
    if (happen(story, shas)) shas += 1;
    if (!draw.flip()) continue;
    const effect = state.effects.get("ask" as EffectKey);
    if (effect === undefined || !state.open.has(effect.key)) break;
    const seen = await breakpointPerformer.observe(contextOf(story, state, off));
    state = append(state, observe(state, effect.key, seen.verdict, seen.facts));
    if (!seen.final) continue;
    const { decision } = seen.output as { decision?: string };
    const why = invalid(story, requester, subject);
    if (decision === "approved" && why !== null) wrong.push(`${why}: ${told(story)}`);
    break;
  }
  return wrong;
}

/** True if somebody pushed. */
function happen(story: Story, shas: number): boolean {
  const { draw, people, reviews } = story;
  const what = draw.whole(0, 9);
  if (what === 0) {
    story.head = shaOf(shas + 1);
    story.pusher = draw.one([...people, null]);
    return true;
  }
  if (what === 1) {
    const base = draw.one(["main", "production"]);
    if (base !== story.base) story.reviewsAtBase = reviews.length;
    story.base = base;
  } else if (what === 2 && reviews.length > 0) {
    const review = draw.one(reviews);
    if (review.state === "approved" || review.state === "changes-requested") review.state = "dismissed";
  } else if (what > 2) {
    const state = draw.one(["approved", "approved", "approved", "changes-requested", "commented", "pending"] as const);
    const sha = draw.whole(0, 4) === 0 ? shaOf(draw.whole(1, shas)) : story.head;
    reviews.push({ id: reviews.length + 1, author: draw.one(people), state, sha, base: story.base });
  }
  return false;
}

/** From the promise: README "Approval is a review", SECURITY.md. null: the pass is right. */
function invalid(story: Story, requester: Person, subject: { sha: string; base: string }): string | null {
  if (story.head !== subject.sha) return "the head is another";
  if (story.base !== subject.base) return "the base is another";
  const { settings } = story;
  let approvals = 0;
  for (const person of story.people) {
    let last: Review | null = null;
    for (const review of story.reviews)
      if (review.author.id === person.id && review.state !== "commented" && review.state !== "pending") last = review;
    if (last === null || last.state === "dismissed") continue;
    if (last.state === "changes-requested") {
      if (person.kind === "user" && atLeastWrite.has(person.permission)) return `${person.login} asks for changes`;
      continue;
    }
    const own =
      person.id === requester.id ||
      (story.author.kind === "user" && person.id === story.author.id) ||
      (story.pusher?.kind === "user" && person.id === story.pusher.id);
    const counts =
      last.sha === subject.sha &&
      // Given for another base, even if the base is the same again.
      (story.reviewsAtBase === null || last.id > story.reviewsAtBase) &&
      person.kind === "user" &&
      atLeastWrite.has(person.permission) &&
      (!own || settings.self === "allow") &&
      (settings.people.length === 0 || settings.people.includes(person.login));
    if (counts) approvals += 1;
  }
  return approvals >= settings.count ? null : `${approvals} of ${settings.count} approvals count`;
}

function told({ reviews, people }: Story): string {
  const who = people.map(({ login, kind, permission }) => `${login} ${kind} ${permission}`).join(", ");
  return `${reviews.map(({ author, state, sha }) => `${author.login} ${state} ${sha.slice(-2)}`).join(", ")} (${who})`;
}

const timeOf = (review: number): string => new Date(Date.UTC(2026, 10, 30) + review * 1_000).toISOString();

/** GitHub as the performer asks it. With a guard off, it lies about the guarded fact. */
function contextOf(story: Story, state: RunState, off: ReviewGuard | null): PerformContext {
  const subjectSha = shaOf(1);
  const visible = story.reviews
    .filter(({ state: given }) => off !== "objections" || given !== "changes-requested")
    .map(
      ({ id, author, state: given, sha }): ReviewFact => ({
        id,
        author: { id: author.id, login: author.login, kind: off === "people" ? "user" : author.kind },
        permission: off === "people" ? "admin" : author.permission,
        state: given,
        sha: off === "head" ? subjectSha : sha,
        body: "",
        comments: [],
        submittedAt: timeOf(id),
      }),
    );
  const github = {
    pullRequest: async () => ({
      number: 3,
      state: "open",
      merged: false,
      author: story.author,
      headSha: off === "head" ? subjectSha : story.head,
      headRef: "work",
      headRepositoryId: repository.id,
      baseRef: story.base,
      baseSha: shaOf(0),
    }),
    file: async () => null,
    reviews: async () => visible,
    pusher: async () => story.pusher,
    baseChangedAt: async () => (story.reviewsAtBase === null ? null : timeOf(story.reviewsAtBase + 0.5)),
  } as unknown as Github;
  return { github, state, effect: state.effects.get("ask" as EffectKey) } as unknown as PerformContext;
}

/** A comment with a question, by GitHub's clock and count. The journal's time may be off by half a minute. */
interface Asking {
  at: number;
  id: number;
  /** `none`: it does not exist yet. `unnoted`: it exists, and Baton has not noted GitHub's answer. */
  seen: "noted" | "unnoted" | "none";
}

function asking(draw: Draw): Asking {
  const at = 2_000 + draw.whole(-30, 30) * 1_000;
  return { at, id: 50, seen: draw.one(["noted", "noted", "unnoted", "none"] as const) };
}

/** As the command asks for it. With the guard off, it was posted before anybody wrote. */
function placesOf({ at, id, seen }: Asking, off: ReviewGuard | null) {
  const old = off === "post" ? { at: -3_600_000, id: 0 } : { at, id };
  const posted = { id: old.id, createdAt: new Date(old.at).toISOString() };
  const isThere = seen !== "none" || off === "post";
  return {
    dependencies: {
      store: { outboxRow: async () => ({ state: "pending", result: seen === "noted" ? posted : null }) },
    },
    github: { ownComment: async () => (isThere ? posted : null) },
  };
}

/** A plan waits for `/baton approve`. A valid answer comes from a permitted person who could see the question. */
async function playPlan(draw: Draw, off: ReviewGuard | null): Promise<string[]> {
  const asked = asking(draw);
  const people = peopleOf(draw);
  const requester = people[0] as Person;
  const approvals = settingsSchema.parse({
    approvals: {
      self: draw.one(["deny", "deny", "allow"]),
      people: draw.whole(0, 3) === 0 ? [draw.one(people).login] : [],
    },
  });
  let state = runWith(requester, approvals.approvals, {
    title: "Plan",
    kind: "plan",
    question: "Shall it?",
    subject: { text: "A plan." },
  });
  const wrong: string[] = [];
  for (let step = draw.whole(1, 5); step > 0 && state.open.size > 0; step -= 1) {
    const actor = draw.one(people);
    const decision = draw.one(["approved", "approved", "rejected"] as const);
    const after = draw.whole(-3, 6);
    // Numbers of comments follow their times.
    const commentId = asked.id + (after === 0 ? draw.one([-1, 1]) : after) * 10;
    const context = {
      ...placesOf(asked, off),
      actor,
      command: { name: decision === "approved" ? "approve" : "reject", positional: [], options: {}, text: "" },
      settings: approvals,
      pullRequest: null,
      operationKey: `comment:${step}`,
      writtenAt: new Date(asked.at + after * 1_000).toISOString(),
      commentId,
      verdict: { name: "command", status: "passed", reason: "", evidence: [], children: [] },
      run: state,
      runner: {
        async change(_: RunId, decide: (now: RunState) => RunEvent[]) {
          state = append(state, decide(state));
          return { state };
        },
      },
    } as unknown as CommandContext;
    try {
      await answerBreakpoint(context, decision);
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_POLICY_DENIED") && !hasCode(thrown, "BATON_NOT_ASKED")) throw thrown;
    }
    const may =
      actor.kind === "user" &&
      atLeastWrite.has(actor.permission) &&
      (actor.id !== requester.id || approvals.approvals.self === "allow") &&
      (approvals.approvals.people.length === 0 || approvals.approvals.people.includes(actor.login));
    const passed = state.effects.get("ask" as EffectKey)?.output as { decision?: string } | undefined;
    if (passed?.decision === "approved" && !may)
      wrong.push(`${actor.login} (${actor.kind}, ${actor.permission}) approved a plan`);
    const isAnswered = passed !== undefined && passed.decision !== "voided";
    if (isAnswered && (asked.seen === "none" || after < 0 || commentId < asked.id))
      wrong.push(`an answer of ${after} s after the question counts (${asked.seen})`);
    // A correct answer passes: a proof of refusals alone would prove nothing.
    if (!isAnswered && may && asked.seen !== "none" && commentId > asked.id)
      wrong.push(`a right answer of ${after} s after the question does not count (${asked.seen})`);
  }
  return wrong;
}

function runWith(requestedBy: Actor, approvals: Settings["approvals"], input: Json): RunState {
  const created: RunEvent = {
    type: "run.created",
    runId: `run_${"0".repeat(26)}` as RunId,
    process: { name: "prove", version: 1, stages: [] },
    input: { baseBranch: "main" },
    thread: { repository, number: 12, kind: "issue" },
    requestedBy,
    trigger: { operationKey: "prove", commentId: null, text: "" },
    budgetUsd: 1,
    settings: settingsSchema.parse({ approvals }) as unknown as Json,
    settingsSha: null,
    parent: null,
    retryOf: null,
  };
  const asked: RunEvent = {
    type: "effect.requested",
    key: "ask" as EffectKey,
    kind: "breakpoint",
    input,
    cause: 1,
    timeoutMs: null,
    retry: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
    hints: {},
  };
  return append(fold([storedAt(created, 1)]), [asked]);
}

function append(state: RunState, events: RunEvent[]): RunState {
  for (const event of events) applyEvent(state, storedAt(event, state.position + 1));
  return state;
}

function storedAt(event: RunEvent, position: number) {
  const stream = `run_${"0".repeat(26)}`;
  return { stream, position, at: 1_000 * position, schemaVersion: 1, event, previousHash: "", hash: "" };
}
