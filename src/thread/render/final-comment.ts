/** The last words of a run: its result, the evidence, and its cost per step, attempt and model. */
import { limits } from "../../core/limits.ts";
import type { RunState } from "../../core/state.ts";
import { cut } from "../../text/cut.ts";
import { neutraliseLine } from "../../text/neutralise.ts";
import { asideLines } from "./aside.ts";
import { failureParts } from "./failure.ts";
import { headline } from "./headline.ts";
import { partials } from "./partial.ts";
import { budgetLine, costTable, folded, hasCosts, verdictTree } from "./parts.ts";
import { sandboxLines } from "./sandbox.ts";

export function renderFinalComment(state: RunState): string {
  const { icon, sentence } = headline(state);
  const outcome = state.outcome;
  const parts = [`${icon} ${sentence}`, ...failureParts(state)];
  if (outcome !== null && (outcome.verdict.evidence.length > 0 || outcome.verdict.children.length > 0))
    parts.push("### Evidence", verdictTree(outcome.verdict));
  if (outcome?.verdict.status !== "passed") parts.push(partials(state) ?? "");
  parts.push(sandboxLines(state) ?? "", asideLines(state) ?? "", budgetLine(state));
  for (const { by, addUsd } of state.topUps)
    parts.push(`${neutraliseLine(`@${by.login}`)} topped it up by $${addUsd.toFixed(2)}.`);
  if (hasCosts(state)) parts.push(folded("Cost by step", costTable(state)));
  return cut(parts.filter((part) => part !== "").join("\n\n"), limits.commentCharactersMax);
}
