/** The last words of a run: its result, the evidence, and its cost per step, attempt and model. */
import { errorCatalogue } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { RunState } from "../../core/state.ts";
import { cut } from "../../text/cut.ts";
import { asideLines } from "./aside.ts";
import { partials } from "./partial.ts";
import { costTable, headline, verdictTree } from "./parts.ts";
import { sandboxLines } from "./sandbox.ts";

export function renderFinalComment(state: RunState): string {
  const { icon, sentence } = headline(state);
  const outcome = state.outcome;
  const parts = [`${icon} ${sentence}`];
  if (outcome !== null && (outcome.verdict.evidence.length > 0 || outcome.verdict.children.length > 0))
    parts.push("### Evidence", verdictTree(outcome.verdict));
  if (outcome?.error != null)
    parts.push(`**What to do:** ${errorCatalogue[outcome.error.code].remedy} (\`${outcome.error.code}\`)`);
  const left = state.outcome?.verdict.status === "passed" ? null : partials(state);
  if (left !== null) parts.push(left);
  const sandbox = sandboxLines(state);
  if (sandbox !== null) parts.push(sandbox);
  const aside = asideLines(state);
  if (aside !== null) parts.push(aside);
  parts.push("### Cost", costTable(state));
  for (const { by, addUsd } of state.topUps) parts.push(`Topped up by $${addUsd.toFixed(2)} by @\u200b${by.login}.`);
  return cut(parts.join("\n\n"), limits.commentCharactersMax);
}
