/**
 * The status comment: verdict first, then the plan, the steps, the money. Details are folded. A function of the state
 * (run-outputs.V1).
 */
import type { AgentInput } from "../../core/effect.ts";
import { limits } from "../../core/limits.ts";
import { progressOf } from "../../core/progress.ts";
import type { RunState } from "../../core/state.ts";
import { shortRunId } from "../../core/vocabulary.ts";
import { parsePlan, renderPlan } from "../../prompt/plan.ts";
import { approvalText } from "../../summary/child.ts";
import { waitingFor } from "../../summary/waiting.ts";
import { cut } from "../../text/cut.ts";
import { plural } from "../../text/format.ts";
import { neutralise, neutraliseLine } from "../../text/neutralise.ts";
import { asideLines } from "./aside.ts";
import { failureParts } from "./failure.ts";
import { headline } from "./headline.ts";
import { partials } from "./partial.ts";
import { budgetLine, costTable, folded, hasCosts, selfReportingLine } from "./parts.ts";
import { progressLine } from "./progress.ts";
import { reasons } from "./reasons.ts";
import { sandboxLines } from "./sandbox.ts";
import { workTable } from "./stage-table.ts";
import type { RenderView } from "./view.ts";

export function renderStatusComment(state: RunState, view: RenderView): string {
  const { icon, sentence } = headline(state);
  const isOver = state.outcome !== null;
  const parts = [`${icon} ${sentence}`, ...(isOver ? failureParts(state) : []), scheduleLine(state), workTable(state)];
  if (!isOver || state.outcome?.verdict.status === "passed")
    parts.push(progressLine(progressOf(state), view.live === true ? view.now : null));
  parts.push(budgetLine(state), ...notesOf(state), selfReportingLine(state));
  parts.push(sandboxLines(state) ?? "", asideLines(state) ?? "");
  const plan = approvalText(state) ?? planOf(state);
  if (plan !== null) parts.push(folded("The plan", neutralise(plan)));
  parts.push(partials(state) ?? "");
  const waits = waitingFor(state);
  if (waits.length > 1)
    parts.push(
      folded(
        `Open: ${waits.length} steps`,
        waits.map(({ title, sentence: why }) => `- ${neutraliseLine(title)}: ${neutraliseLine(why)}`).join("\n"),
      ),
    );
  if (hasCosts(state)) parts.push(folded("Cost by step", costTable(state)));
  parts.push(folded("Why: decisions and evidence", reasons(state)));
  parts.push(
    `<sub>\`${state.process.name}\` ${versionOf(state)} · run \`${shortRunId(state.runId)}\` · asked for by ${neutraliseLine(`@${state.requestedBy.login}`)} · \`/baton help\`</sub>`,
  );
  return cut(parts.filter((part) => part !== "").join("\n\n"), limits.commentCharactersMax);
}

/** Baton's own sentences from before the first step. */
function notesOf(state: RunState): string[] {
  const { notes } = (state.input ?? {}) as { notes?: unknown };
  return Array.isArray(notes) ? notes.map((note) => neutraliseLine(String(note))) : [];
}

/** The scheduled time of the run, and whether it came late. */
function scheduleLine({ startedBy }: RunState): string {
  if (startedBy === null) return "";
  if (startedBy.kind === "trigger") return `⚡ \`${startedBy.name}\` on \`${startedBy.on}\`.`;
  const { name, at, late, missed } = startedBy;
  const time = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  const earlier =
    missed === 0
      ? ""
      : ` Baton missed ${plural(missed, "earlier time")}, which ${missed === 1 ? "does" : "do"} not run.`;
  return `🕒 \`${name}\` of ${time} UTC${late ? ", **late**" : ""}.${earlier}`;
}

/** The newest plan of an agent. An agent that explores answers a question, in a comment of its own. */
function planOf(state: RunState): string | null {
  for (const effect of [...state.effects.values()].toReversed())
    if (effect.kind === "agent" && effect.output !== undefined && isPlan(effect.input))
      return renderPlan(parsePlan(effect.output.text));
  return null;
}

function isPlan({ role, prompt }: AgentInput): boolean {
  return role === "plan" && !("task" in prompt && prompt.task === "explore");
}

/** A process from a text has the start of its hash as its version, as GitHub shows commits. */
function versionOf({ process: { version, source } }: RunState): string {
  return source === undefined ? `v${version}` : `@${source.hash.slice(0, 7)}`;
}
