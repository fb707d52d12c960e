/**
 * A question as a comment of its own: an edit notifies nobody, but a new comment with a mention does.
 *
 * QC1 The news is the first line. Mentions are Baton's own, from settings and the run. All other text is without effect.
 * QC2 Text that people must read to answer stays unfolded: the plan, the protected change.
 */
import { z } from "zod";
import { limits } from "../../core/limits.ts";
import type { Question } from "../../core/questions.ts";
import { shownChange } from "../../core/shown-change.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import { shortRunId } from "../../core/vocabulary.ts";
import { type Answerers, answerersOf } from "../../policy/answerers.ts";
import { type CodeOwners, codeOwnersSchema } from "../../policy/code-owners.ts";
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
  const who = answerersOf(parts.kind, state.requestedBy, settings, ownersSeen(effect, owner));
  return cut(
    [
      `${parts.icon} **${neutraliseLine(oneLine(parts.news))}**`,
      address(who, owner, parts),
      neutraliseWithin(parts.text, textCharactersMax),
      `<sub>#${state.thread.number} · run \`${shortRunId(state.runId)}\` · Baton folds this comment when it is answered.</sub>`,
    ]
      .filter((part) => part.trim() !== "")
      .join("\n\n"),
    limits.commentCharactersMax,
  );
}

const factsSchema = z.object({ owners: codeOwnersSchema });

/** The owners of the changed files, as Baton first read them. A mention of another organization's team calls nobody. */
function ownersSeen(effect: EffectState | null, organization: string): CodeOwners {
  const { owners } = factsSchema.safeParse(effect?.observed?.facts).data ?? { owners: { people: [], teams: [] } };
  const isOurs = (team: string): boolean => team.toLowerCase().startsWith(`${organization.toLowerCase()}/`);
  return { people: owners.people, teams: owners.teams.filter(isOurs) };
}

interface Parts {
  icon: string;
  kind: Parameters<typeof answerersOf>[0];
  news: string;
  /** How people answer it. */
  how: string;
  /** The action of a person with the permission. Empty: this question asks for none. */
  deed: string;
  /** Text that people must read first. It still has its effects. */
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

/** A mention must be a whole login in GitHub's own form. Settings and events are checked for it. */
const plainLogin = /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$/;

function mention(login: string): string {
  return plainLogin.test(login) ? `@${login}` : `\`${login.replaceAll(/[^\w.[\]-]/g, "?").slice(0, 60)}\``;
}

/** The people whom Baton calls, how they answer, and who else may answer. */
function address({ called, teams, anybodyWith, notBy }: Answerers, owner: string, { how, deed }: Parts): string {
  const names = called.filter((login) => login !== notBy).map(mention);
  names.push(...teams.filter(() => plainLogin.test(owner)).map((team) => `@${owner}/${team}`));
  const who = names.length === 0 ? how : `${names.join(", ")}: ${how}`;
  if (anybodyWith === null || deed === "") return who;
  const except =
    notBy === null ? "" : ` except ${called.includes(notBy) ? mention(notBy) : `\`${notBy}\``}, who asked for this run`;
  return `${who}\n\nAnyone with ${anybodyWith} access can ${deed}${except}.`;
}
