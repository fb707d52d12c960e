/** Baton's own measurements, under the agent's words in a pull request: the change by git, the cost by the ledger. */
import type { FileChange } from "../../core/effect.ts";
import type { RunState } from "../../core/state.ts";
import { shortRunId } from "../../core/vocabulary.ts";
import { count, plural, totalTokens, usd } from "../../text/format.ts";
import { codeSpan } from "../../text/neutralise.ts";
import { costTable, folded, spentSoFar } from "./parts.ts";

const filesMax = 60;

export function renderMeasured(files: readonly FileChange[], state: RunState): string {
  const { spentUsd, tokens, complete } = spentSoFar(state);
  const spent = `${complete ? "" : "≥ "}${usd(spentUsd)} of ${usd(state.money.budgetUsd)}, ${count(totalTokens(tokens))} tokens`;
  return [
    "### What changed (measured by git)",
    diffStat(files),
    "### Cost so far",
    `${spent}, for the run \`${shortRunId(state.runId)}\`. The thread has the final cost.`,
    folded("Cost by step", costTable(state)),
  ].join("\n\n");
}

function diffStat(files: readonly FileChange[]): string {
  if (files.length === 0) return "Nothing differs from the base.";
  const rows = files
    .slice(0, filesMax)
    .map(
      ({ path, added, removed }) =>
        `| ${codeSpan(path)} | ${added === null ? "binary" : `+${added}`} | ${removed === null ? "" : `−${removed}`} |`,
    );
  const more = files.length > rows.length ? `\n\n… and ${plural(files.length - rows.length, "more file")}` : "";
  return ["| File | Added | Removed |", "|---|--:|--:|", ...rows].join("\n") + more;
}
