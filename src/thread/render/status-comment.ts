/** The status comment: verdict first, then the plan, the steps, the money; details folded. A function of the state (run-outputs.V1). */
import type { AgentInput } from "../../core/effect.ts";
import { errorCatalogue } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { progressOf } from "../../core/progress.ts";
import type { RunState } from "../../core/state.ts";
import { parsePlan, renderPlan } from "../../prompt/plan.ts";
import { approvalText } from "../../summary/child.ts";
import { waitingFor } from "../../summary/waiting.ts";
import { cut } from "../../text/cut.ts";
import { neutralise, neutraliseLine } from "../../text/neutralise.ts";
import { asideLines } from "./aside.ts";
import { partials } from "./partial.ts";
import { budgetLine, costTable, decisions, folded, headline, selfReportingLine, stages, stepsTable } from "./parts.ts";
import { progressLine } from "./progress.ts";
import { sandboxLines } from "./sandbox.ts";
import type { RenderView } from "./view.ts";

export function renderStatusComment(state: RunState, view: RenderView): string {
  const { icon, sentence } = headline(state);
  const parts = [`${icon} ${sentence}`, scheduleLine(state), stages(state)];
  if (state.outcome === null || state.outcome.verdict.status === "passed")
    parts.push(progressLine(progressOf(state), view.live === true ? view.now : null));
  const plan = approvalText(state) ?? planOf(state);
  if (plan !== null) parts.push(folded("The plan", neutralise(plan)));
  if (state.effects.size > 0) parts.push(stepsTable(state));
  parts.push(...notesOf(state), budgetLine(state), selfReportingLine(state));
  const left = partials(state);
  if (left !== null) parts.push(left);
  const sandbox = sandboxLines(state);
  if (sandbox !== null) parts.push(sandbox);
  const aside = asideLines(state);
  if (aside !== null) parts.push(aside);
  const failure = state.outcome?.error ?? null;
  if (failure !== null) parts.push(`**What to do:** ${errorCatalogue[failure.code].remedy} (\`${failure.code}\`)`);
  const waits = waitingFor(state);
  if (waits.length > 1)
    parts.push(
      folded(
        `Waiting for ${waits.length} things`,
        waits.map(({ title, sentence: why }) => `- ${neutraliseLine(title)}: ${neutraliseLine(why)}`).join("\n"),
      ),
    );
  parts.push(folded("Cost by step", costTable(state)));
  parts.push(folded("Decisions", decisions(state)));
  parts.push(
    `<sub>\`${state.process.name}\` ${versionOf(state)} · run \`${state.runId}\` · asked for by @\u200b${state.requestedBy.login} · \`/baton help\`</sub>`,
  );
  return cut(parts.filter((part) => part !== "").join("\n\n"), limits.commentCharactersMax);
}

/** Baton's own sentences, found before the first step. */
function notesOf(state: RunState): string[] {
  const { notes } = (state.input ?? {}) as { notes?: unknown };
  return Array.isArray(notes) ? notes.map((note) => neutraliseLine(String(note))) : [];
}

/** Which time it is for, and whether it came late. */
function scheduleLine({ startedBy }: RunState): string {
  if (startedBy === null) return "";
  if (startedBy.kind === "trigger") return `⚡ \`${startedBy.name}\` on \`${startedBy.on}\`.`;
  const { name, at, late, missed } = startedBy;
  const time = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  const earlier =
    missed === 0
      ? ""
      : ` ${missed} earlier ${missed === 1 ? "time was" : "times were"} missed and ${missed === 1 ? "does" : "do"} not run.`;
  return `🕒 \`${name}\` of ${time} UTC${late ? ", **late**" : ""}.${earlier}`;
}

/** The newest plan that an agent made. Who explores answers a question, and stands in a comment of its own. */
function planOf(state: RunState): string | null {
  for (const effect of [...state.effects.values()].toReversed())
    if (effect.kind === "agent" && effect.output !== undefined && isPlan(effect.input))
      return renderPlan(parsePlan(effect.output.text));
  return null;
}

function isPlan({ role, prompt }: AgentInput): boolean {
  return role === "plan" && !("task" in prompt && prompt.task === "explore");
}

/** Of a text its hash, as GitHub shows commits. */
function versionOf({ process: { version, source } }: RunState): string {
  return source === undefined ? `v${version}` : `@${source.hash.slice(0, 7)}`;
}
