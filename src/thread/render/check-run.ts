/** The check run: the same tree as the comment. Its conclusion is honest: only evidence makes it green. */
import { limits } from "../../core/limits.ts";
import { progressOf } from "../../core/progress.ts";
import type { RunState } from "../../core/state.ts";
import { cutBytes } from "../../text/cut.ts";
import { headline } from "./headline.ts";
import { budgetLine, stepsTable, verdictTree } from "./parts.ts";
import { progressLine } from "./progress.ts";
import { stageTable } from "./stage-table.ts";

export interface RenderedCheckRun {
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: "success" | "failure" | "neutral" | "cancelled" | null;
  title: string;
  summary: string;
  text: string;
  annotations: [];
  detailsUrl: null;
}

export function renderCheckRun(state: RunState): RenderedCheckRun {
  const { icon, sentence } = headline(state);
  const conclusion = conclusionOf(state);
  const steps =
    state.outcome === null ? stepsTable(state) : `${stepsTable(state)}\n\n${verdictTree(state.outcome.verdict)}`;
  return {
    name: "Baton",
    status: conclusion === null ? "in_progress" : "completed",
    conclusion,
    title: cutBytes(sentence.replaceAll("**", ""), 250, "…"),
    summary: cutBytes(
      [`${icon} ${sentence}`, stageTable(state), progressLine(progressOf(state), null), budgetLine(state)]
        .filter((part) => part !== "")
        .join("\n\n"),
      limits.checkTextBytesMax,
    ),
    text: cutBytes(steps, limits.checkTextBytesMax),
    annotations: [],
    detailsUrl: null,
  };
}

/** Baton no longer judges an older head: its check run is neither green nor red, and never left running. */
export function renderSupersededCheckRun(newSha: string): RenderedCheckRun {
  const title = `Superseded by ${newSha.slice(0, 7)}`;
  return {
    name: "Baton",
    status: "completed",
    conclusion: "neutral",
    title,
    summary: `${title}: the run judges the newer commit.`,
    text: "",
    annotations: [],
    detailsUrl: null,
  };
}

function conclusionOf(state: RunState): RenderedCheckRun["conclusion"] {
  if (state.outcome === null) return null;
  if (state.status === "cancelled") return "cancelled";
  return state.status === "completed" && state.outcome.verdict.status === "passed" ? "success" : "failure";
}
