/** The stages of a run, one row each. A stage shows its newest step that tells something; the other steps are folded. */
import type { EffectState, RunState } from "../../core/state.ts";
import { waitingFor } from "../../summary/waiting.ts";
import { cell, plural } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";
import { icons } from "./icons.ts";
import { costOf, folded, stepNote, stepsTable, verdictOf } from "./parts.ts";

/** Stages, then all steps in a fold. A process without stages shows its steps. */
export function workTable(state: RunState): string {
  const { size } = state.effects;
  if (state.process.stages.length === 0) return size === 0 ? "" : stepsTable(state);
  if (size < 2) return stageTable(state);
  return `${stageTable(state)}\n\n${folded(`All ${size} steps, with transcripts`, stepsTable(state))}`;
}

export function stageTable(state: RunState): string {
  const { stages } = state.process;
  if (stages.length === 0) return "";
  const rows = stages.map((stage) => {
    const effects = [...state.effects.values()].filter((effect) => effect.stage === stage);
    return `| ${stageState(state, effects)} | ${cell(neutraliseLine(stage))} | ${stageNote(state, effects)} | ${costOf(effects)} |`;
  });
  return ["| State | Stage | Result | Cost |", "|---|---|---|--:|", ...rows].join("\n");
}

/** A sign, and its word. */
function stageState(state: RunState, effects: EffectState[]): string {
  if (effects.length === 0) return state.outcome === null ? "▫️ to come" : "➖ not begun";
  const open = effects.filter(({ key }) => state.open.has(key));
  if (open.length > 0) return openState(state, open);
  const last = effects.at(-1) as EffectState;
  if (last.status === "cancelled") return `${icons.skipped} cancelled`;
  // After a repair without a later check, the stage stays as the last check found it.
  const judged = effects.findLast((effect) => verdictOf(effect) !== null);
  const failed = last.status === "failed" || (judged !== undefined && verdictOf(judged) === "failed");
  return failed ? `${icons.failed} failed` : `${icons.passed} done`;
}

const openStates = {
  money: "💰 out of budget",
  people: "🙋 needs people",
  worker: "🏃 running",
} as const;

function openState(state: RunState, open: EffectState[]): string {
  const waits = waitingFor(state).filter(({ key }) => open.some((effect) => effect.key === key));
  for (const kind of ["money", "people", "worker"] as const)
    if (waits.some((wait) => wait.kind === kind)) return openStates[kind];
  return `${icons.pending} open`;
}

/** The open step, or the newest one that judges or changes something. */
function stageNote(state: RunState, effects: EffectState[]): string {
  const open = effects.find(({ key }) => state.open.has(key));
  const shown = open ?? effects.findLast(({ kind }) => kind !== "publish" && kind !== "base") ?? effects.at(-1);
  if (shown === undefined) return "";
  const note = stepNote(shown);
  const text = open === undefined ? note : [open.title, note].filter((part) => part !== "").join(": ");
  const repairs = effects.filter(({ kind }) => kind === "agent").length;
  const judged = effects.some(({ kind }) => kind === "gate");
  const said = cell(neutraliseLine(text));
  return judged && repairs > 0 ? `${said} (${plural(repairs, "repair")})` : said;
}
