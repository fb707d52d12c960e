/**
 * A question as a comment of its own: an edit notifies nobody, a new comment with a mention does.
 *
 * QC1 The news is the first line. Mentions are Baton's own, from settings and the run; all other text is without effect.
 * QC2 What must be read to answer stands open: the plan, the protected change.
 */
import { limits } from "../../core/limits.ts";
import type { Question } from "../../core/questions.ts";
import { shownChange } from "../../core/shown-change.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import { type Answerers, answerersOf } from "../../policy/answerers.ts";
import { answerSentence } from "../../summary/waiting.ts";
import { cut } from "../../text/cut.ts";
import { oneLine, usd } from "../../text/format.ts";
import { neutraliseLine, neutraliseWithin } from "../../text/neutralise.ts";

const textCharactersMax = 40_000;

export function renderQuestion(
  state: RunState,
  { effect }: Pick<Question, "effect">,
  settings: Parameters<typeof answerersOf>[2],
): string {
  const { owner } = state.thread.repository;
  const parts = effect === null ? moneyParts(state) : partsOf(state, effect);
  const who = answerersOf(parts.kind, state.requestedBy, settings);
  return cut(
    [
      `${parts.icon} **${neutraliseLine(oneLine(parts.news))}**`,
      address(who, owner, parts),
      neutraliseWithin(parts.text, textCharactersMax),
      `<sub>#${state.thread.number} · run \`${state.runId}\` · Baton folds this comment when it is answered.</sub>`,
    ]
      .filter((part) => part.trim() !== "")
      .join("\n\n"),
    limits.commentCharactersMax,
  );
}

interface Parts {
  icon: string;
  kind: Parameters<typeof answerersOf>[0];
  news: string;
  /** How it is answered. */
  how: string;
  /** What somebody with the permission can do; empty: nothing that this asks for. */
  deed: string;
  /** What must be read first; not yet without effect. */
  text: string;
}

function partsOf(state: RunState, effect: EffectState): Parts {
  const how = neutraliseLine(answerSentence(state, effect));
  if (effect.kind !== "breakpoint") {
    const text = effect.kind === "ask" ? effect.input.question : "";
    return { icon: "🙋", kind: "answer", news: `Baton needs an answer: ${effect.title}`, how, deed: "answer", text };
  }
  const { kind, subject } = effect.input;
  const { pullRequest, sha, text = "" } = subject;
  if (kind === "merge")
    return {
      icon: "🙋",
      kind: "answer",
      news: `GitHub does not merge #${pullRequest ?? ""} yet`,
      how: "Baton merges it as soon as nothing is missing.",
      deed: "",
      text,
    };
  if (pullRequest !== undefined && sha !== undefined)
    return {
      icon: "🙋",
      kind: "review",
      news: `Baton needs a review of #${pullRequest} at ${sha.slice(0, 7)}`,
      how: `Review #${pullRequest} on GitHub: approve it, or request changes. The approval counts for this commit only.`,
      deed: "approve",
      text: "",
    };
  const shown = shownChange(effect)?.text ?? text;
  return {
    icon: "🙋",
    kind: "approval",
    news: `Baton needs an answer: ${effect.title}`,
    how,
    deed: "approve",
    text: shown,
  };
}

function moneyParts({ money }: RunState): Parts {
  return {
    icon: "💰",
    kind: "budget",
    news: `The budget of ${usd(money.budgetUsd)} is used up`,
    how: "`/baton budget +2` tops it up and the work goes on. `/baton cancel` ends the run.",
    deed: "top it up",
    text: "",
  };
}

/** A mention has to be a whole login: GitHub's own form, which settings and events are checked for. */
const plainLogin = /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$/;

function mention(login: string): string {
  return plainLogin.test(login) ? `@${login}` : `\`${login.replaceAll(/[^\w.[\]-]/g, "?").slice(0, 60)}\``;
}

/** Whom Baton calls, how they answer, and who else may. */
function address({ called, teams, anybodyWith, notBy }: Answerers, owner: string, { how, deed }: Parts): string {
  const names = called.filter((login) => login !== notBy).map(mention);
  names.push(...teams.filter(() => plainLogin.test(owner)).map((team) => `@${owner}/${team}`));
  const who = names.length === 0 ? how : `${names.join(", ")}: ${how}`;
  if (anybodyWith === null || deed === "") return who;
  const except =
    notBy === null ? "" : ` except ${called.includes(notBy) ? mention(notBy) : `\`${notBy}\``}, who asked for this run`;
  return `${who}\n\nAnyone with ${anybodyWith} access can ${deed}${except}.`;
}
