import { triggerDecisions } from "../begin/fire-triggers.ts";
import { dashboardMarker } from "../begin/open-dashboard.ts";
import type { RunState } from "../core/state.ts";
import { readBook } from "../runner/schedule-book.ts";
import { health } from "../summary/health.ts";
import { oneLine, plural } from "../text/format.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { headline } from "../thread/render/headline.ts";
import { folded } from "../thread/render/parts.ts";
import { judgementOf, reasons } from "../thread/render/reasons.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";
import { twoLines } from "./two-lines.ts";

export const why = defineCommand({
  name: "why",
  usage: "why",
  summary: "Show what was decided, by which rule, and what the run waits for.",
  needs: "read",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { dependencies, repository, issue } = context;
  // Both texts end with the events that Baton only counted.
  const fired = [
    ...new Set([
      ...(await triggerDecisions(dependencies, repository, issue.number)),
      ...(await withoutThread(context)),
    ]),
  ];
  const triggers = fired.map((line) => `- ${neutraliseLine(line)}`).join("\n");
  // This works also if no run began, because people ask why none did.
  if (context.lastRun === null && fired.length > 0) return `### Triggers\n\n${triggers}`;
  const lastRun = lastRunOf(context);
  const { icon, sentence } = headline(lastRun);
  const answer = await twoLines(context, lastRun, {
    news: `${icon} ${sentence}`,
    detail: `${judged(lastRun)}${healthLine(lastRun, dependencies.clock.now())}`,
    part: "Decisions and evidence",
    whole: reasons(lastRun),
  });
  return fired.length === 0 ? answer : `${answer}\n\n${folded(plural(fired.length, "trigger decision"), triggers)}`;
}

/** The newest verdict that the headline does not say. Empty: there is none. */
function judged(state: RunState): string {
  const verdicts = [...state.effects.values()].flatMap((effect) => judgementOf(effect) ?? []);
  const last = verdicts.findLast(({ status }) => status !== "pending");
  return last === undefined || headline(state).sentence.includes(neutraliseLine(oneLine(last.reason)))
    ? ""
    : `Last verdict (${neutraliseLine(last.name)}): ${neutraliseLine(oneLine(last.reason))} `;
}

function healthLine(state: RunState, now: number): string {
  const { score, deductions } = health(state, now);
  const why = deductions.map(({ points, reason }) => `−${points} ${reason}`).join(", ");
  return `Health ${score} of 100${why === "" ? "" : `: ${neutraliseLine(oneLine(why))}`}.`;
}

/** Decisions about events that belong to no thread. They stand in the dashboard issue, or anywhere while there is none. */
async function withoutThread({ dependencies, github, repository, issue }: CommandContext): Promise<string[]> {
  const lines = await triggerDecisions(dependencies, repository, null);
  if (lines.length === 0) return [];
  const { dashboard } = await readBook(dependencies.store, repository.id);
  const place = await github.ownIssue(repository, dashboardMarker(repository.id), dashboard);
  return place === null || place === issue.number ? lines : [];
}
