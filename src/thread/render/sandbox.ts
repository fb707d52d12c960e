/** A sandbox's refusals in words: one line, with the setting that allows the refused access. */
import { presetOf } from "../../config/network-presets.ts";
import type { SandboxReport } from "../../core/effect.ts";
import type { EffectState, RunState } from "../../core/state.ts";

type Denial = SandboxReport["denied"][number];

const limitNames = {
  memory: "BATON_SANDBOX_MEMORY",
  processes: "BATON_SANDBOX_PROCESSES",
  disk: "BATON_SANDBOX_DISK",
} as const;

export function denialText({ kind, name }: Denial): string {
  const shown = name.replaceAll(/[^\x21-\x7e]|[`"]/g, "?").slice(0, 120);
  switch (kind) {
    case "host": {
      const preset = presetOf(name);
      return `The sandbox denied the host \`${shown}\`. To allow it: \`sandbox: { network: [${preset ?? `"${shown}"`}] }\` in \`baton.yaml\`.`;
    }
    case "path":
      return `The sandbox does not show the path \`${shown}\`, which a tool call named and did not get. The operator can show it: BATON_SANDBOX_READABLE. Only the worktree and its scratch are writable.`;
    case "memory":
    case "processes":
    case "disk":
      return `The sandbox stopped the attempt: ${kind} above ${shown}. The operator can raise ${limitNames[kind]}.`;
  }
}

/** For the row of a step: at most two names, then a count. */
export function sandboxNote(report: SandboxReport | undefined): string {
  if (report === undefined) return "";
  const { missing, denied, outside } = report;
  const parts: string[] = [];
  const names = [...new Set(denied.map(({ name }) => name))];
  if (names.length > 0)
    parts.push(
      `sandbox denied ${names
        .slice(0, 2)
        .map((name) => `\`${name.replaceAll(/[^\x21-\x7e]|`/g, "?").slice(0, 60)}\``)
        .join(", ")}${names.length > 2 ? ` and ${names.length - 2} more` : ""}`,
    );
  if (missing !== null) parts.push("no sandbox");
  if (outside.length > 0)
    parts.push(`${outside.length} tool call${outside.length === 1 ? "" : "s"} outside the worktree`);
  return parts.join("; ");
}

const linesMax = 6;

/** The refusals of a run's sandboxes, each once, and whether a sandbox was missing. null: nothing to report. */
export function sandboxLines(state: RunState): string | null {
  const reports = [...state.effects.values()].flatMap(reportsOf);
  const lines = [...new Set(reports.flatMap(({ denied }) => denied.map(denialText)))];
  const missing = reports.find((report) => report.missing !== null)?.missing;
  if (missing !== undefined && missing !== null)
    lines.unshift(`⚠️ No sandbox: agents of this run could reach more than their worktree. ${missing}`);
  const outside = [...new Set(reports.flatMap((report) => report.outside))];
  if (outside.length > 0) {
    const names = outside.slice(0, 3).map((path) => `\`${path.replaceAll(/[^\x21-\x7e]|`/g, "?").slice(0, 80)}\``);
    const more = outside.length > 3 ? ` and ${outside.length - 3} more` : "";
    lines.push(`Tool calls named paths outside the worktree: ${names.join(", ")}${more}.`);
  }
  if (lines.length === 0) return null;
  const hidden = lines.length > linesMax ? [`${lines.length - linesMax} more.`] : [];
  return [...lines.slice(0, linesMax), ...hidden].map((line) => `- ${line}`).join("\n");
}

function reportsOf(effect: EffectState): SandboxReport[] {
  const reports = effect.attempts.map(({ kept }) => kept?.sandbox);
  if (effect.kind === "agent" || effect.kind === "shell") reports.push(effect.output?.sandbox);
  return reports.filter((report) => report !== undefined);
}
