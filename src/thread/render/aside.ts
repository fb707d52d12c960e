/** Commits that an agent left next to its result, each named once, with the command that restores it. */
import type { Aside } from "../../core/effect.ts";
import type { EffectState, RunState } from "../../core/state.ts";

const linesMax = 6;

export function asideLines(state: RunState): string | null {
  const { repository } = state.thread;
  const found = new Map<string, Aside>();
  for (const aside of [...state.effects.values()].flatMap(asideOf)) found.set(aside.headSha, aside);
  if (found.size === 0) return null;
  const lines = [...found.values()].slice(0, linesMax).map((aside) => `- ${lineOf(aside, repository.id)}`);
  if (found.size > linesMax) lines.push(`- ${found.size - linesMax} more.`);
  return lines.join("\n");
}

function lineOf({ name, headSha, commits, ref }: Aside, repositoryId: number): string {
  const shown = name.replaceAll(/[^\w./@{}-]/g, "?").slice(0, 80);
  const what = `The agent left ${commits} commit${commits === 1 ? "" : "s"} on \`${shown}\` that ${commits === 1 ? "is" : "are"} not in its result.`;
  if (ref === null) return `${what} Baton refused them.`;
  const branch = `baton-aside/${headSha.slice(0, 12)}`;
  return `${what} To get them, run on Baton's machine: \`git --git-dir=<BATON_DATA>/workspaces/trusted/${repositoryId}.git push <clone address> ${headSha}:refs/heads/${branch}\``;
}

function asideOf(effect: EffectState): Aside[] {
  const kept = effect.attempts.flatMap((attempt) => attempt.kept?.aside ?? []);
  return [...kept, ...(effect.kind === "agent" ? (effect.output?.aside ?? []) : [])];
}
