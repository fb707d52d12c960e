/**
 * The first line of everything that reports a run: the news in bold, complete by itself, with a link to the pull request.
 *
 * HL1 It names the people who can act, without a mention: the question notifies them (`question.ts`).
 * HL2 Text of others has no effect. `#12` of Baton's own pull request is a link, because Baton writes it.
 */
import type { EffectState, RunState } from "../../core/state.ts";
import { neededReviews } from "../../policy/review-decision.ts";
import { type WaitingFor, waitingFor } from "../../summary/waiting.ts";
import { oneLine, timeOfDay } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";
import { icons } from "./icons.ts";

const endings = {
  passed: "Done",
  failed: "Not done",
  error: "Stopped",
  skipped: "Skipped",
  pending: "Unfinished",
} as const;

export function headline(state: RunState): { icon: string; sentence: string } {
  const pullRequest = pullRequestOf(state);
  const link = pullRequest === null || pullRequest === state.thread.number ? "" : `#${pullRequest}`;
  if (state.outcome !== null) {
    const { status, reason } = state.outcome.verdict;
    const isCancelled = state.status === "cancelled";
    const word = isCancelled ? "Cancelled" : endings[status];
    return { icon: isCancelled ? icons.skipped : icons[status], sentence: line(word, oneLine(reason), link) };
  }
  if (state.cancelRequested !== null)
    return {
      icon: icons.pending,
      sentence: line("Cancelling", `@${state.cancelRequested.by.login} asked for it.`, link),
    };
  const wait = foremost(waitingFor(state));
  if (wait === null) return { icon: icons.pending, sentence: "**Starting.**" };
  const { title, sentence } = newsOf(state, wait);
  return { icon: iconOf(wait), sentence: line(title, sentence, link) };
}

/** `news`: without effect. */
function line(news: string, sentence: string, link: string): string {
  const where = link === "" || news.includes(link) ? "" : ` in ${link}`;
  return `**${news}${where}.** ${neutraliseLine(sentence)}`.trim();
}

/** The wait that the headline is about: people can do something about the first two. */
function foremost(waits: readonly WaitingFor[]): WaitingFor | null {
  const first = (kind: WaitingFor["kind"]): WaitingFor | undefined => waits.find((wait) => wait.kind === kind);
  return first("money") ?? first("people") ?? first("worker") ?? waits[0] ?? null;
}

function iconOf({ kind }: WaitingFor): string {
  if (kind === "people") return "🙋";
  if (kind === "money") return "💰";
  return kind === "worker" ? "🏃" : icons.pending;
}

/** The pull request of the thread, or the one that the run opened and did not take away. null: there is none. */
export function pullRequestOf({ thread, effects }: Pick<RunState, "effects" | "thread">): number | null {
  if (thread.kind === "pull-request") return thread.number;
  const opened = new Map<string, number>();
  for (const effect of effects.values()) {
    if (effect.kind !== "publish" || effect.output === undefined) continue;
    const { publish } = effect.input;
    const { number } = effect.output;
    if (publish.operation === "pull-request" && number !== null) opened.set(publish.head, number);
    if (publish.operation === "delete-branch") opened.delete(publish.branch);
  }
  return [...opened.values()].at(-1) ?? null;
}

interface News {
  /** Without effect, except the number of Baton's own pull request. */
  title: string;
  sentence: string;
}

/** The news by itself, as the subject of an e-mail would say it. */
function newsOf(state: RunState, { kind, key, title, sentence }: WaitingFor): News {
  const effect = [...state.effects.values()].find((one) => one.key === key);
  const of = (before: string): News => ({ title: `${before}${neutraliseLine(title)}`, sentence });
  if (effect?.kind === "breakpoint" && kind === "people") return breakpointNews(state, effect, sentence);
  if (effect?.status === "retrying" && effect.observed === null) {
    const at = effect.retryAt === null ? "Retries soon" : `Retries at ${timeOfDay(effect.retryAt)} UTC`;
    return of(`${at}: `);
  }
  switch (kind) {
    case "people":
      if (key === "") return of("");
      return of(effect?.kind === "ask" ? "Needs an answer: " : "Needs people: ");
    case "money":
      return of("Out of budget: ");
    case "worker":
      return of(effect?.status === "running" ? "Running: " : "Starting: ");
    default:
      return of(/^wait/i.test(title) ? "" : "Waiting: ");
  }
}

function breakpointNews(
  state: RunState,
  { input, observed }: Extract<EffectState, { kind: "breakpoint" }>,
  sentence: string,
): News {
  const { kind, subject } = input;
  const place = subject.pullRequest === undefined ? "The work" : `#${subject.pullRequest}`;
  switch (kind) {
    case "review": {
      // Baton reads the checks again while it waits. They are a part of its reason only if they are no longer green.
      if (observed?.verdict.children.some(({ name }) => name === "checks") === true)
        return { title: `${place} is no longer green`, sentence };
      const green = isGreen(state, subject.sha) ? "is green and needs" : "needs";
      const needed = neededReviews(observed?.verdict ?? null);
      if (needed === null) return { title: `${place} ${green} a review`, sentence };
      const at = subject.sha === undefined ? "" : ` Approvals count for \`${subject.sha.slice(0, 7)}\` only.`;
      return {
        title: `${place} ${green} ${neutraliseLine(needed)}`,
        sentence: `Approve it or request changes on GitHub.${at}`,
      };
    }
    case "merge":
      return subject.queued === true
        ? { title: `${place} is in the merge queue`, sentence: "GitHub merges it." }
        : { title: `GitHub does not merge ${place} yet`, sentence: withoutStart(sentence) };
    case "plan":
      return { title: "The plan needs approval", sentence };
    case "protected-paths":
      return { title: "Changes of protected files need approval", sentence };
  }
}

/** GitHub's own words, without the words of the headline. */
function withoutStart(sentence: string): string {
  return sentence.replace(/^GitHub (?:does not merge|has not merged) (?:it|#\d+) yet[:.]?\s*/, "");
}

/** True if the last reading of this commit's checks found green ones. A commit without any check is not green. */
function isGreen(state: RunState, sha: string | undefined): boolean {
  for (const effect of [...state.effects.values()].toReversed())
    if (effect.kind === "gate" && effect.input.gate === "checks-green" && effect.input.sha === sha)
      return effect.output?.status === "passed" && effect.output.children.some(({ status }) => status === "passed");
  return false;
}
