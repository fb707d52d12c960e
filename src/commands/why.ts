import { triggerDecisions } from "../begin/fire-triggers.ts";
import { dashboardMarker } from "../begin/open-dashboard.ts";
import { publishInputSchema } from "../core/effect.ts";
import type { EffectState } from "../core/state.ts";
import type { Verdict } from "../core/vocabulary.ts";
import { readBook } from "../runner/schedule-book.ts";
import { health } from "../summary/health.ts";
import { waitingFor } from "../summary/waiting.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { decisions, headline, verdictTree } from "../thread/render/parts.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";

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
  const triggers =
    fired.length === 0 ? [] : ["### Triggers", fired.map((line) => `- ${neutraliseLine(line)}`).join("\n")];
  // This works also if no run began, because people ask why none did.
  if (context.lastRun === null && triggers.length > 0) return triggers.join("\n\n");
  const lastRun = lastRunOf(context);
  const { icon, sentence } = headline(lastRun);
  const waits = waitingFor(lastRun).map(
    (wait) => `- **${neutraliseLine(wait.title)}**: ${neutraliseLine(wait.sentence)}`,
  );
  const judged = [...lastRun.effects.values()].flatMap((effect) => {
    const verdict = effect.observed?.verdict ?? toldVerdict(effect);
    return verdict === null ? [] : [verdictTree(verdict)];
  });
  const { score, deductions } = health(lastRun, context.dependencies.clock.now());
  return [
    `${icon} ${sentence}`,
    ...(waits.length === 0 ? [] : ["### Waits for", waits.join("\n")]),
    "### Asked and decided",
    decisions(lastRun),
    ...triggers,
    ...(judged.length === 0 ? [] : ["### Judged", judged.join("\n")]),
    `Health ${score} of 100${deductions.length === 0 ? "" : `: ${deductions.map(({ points, reason }) => `−${points} ${reason}`).join(", ")}`}`,
  ].join("\n\n");
}

/** Decisions about events that belong to no thread. They stand in the dashboard issue, or anywhere while there is none. */
async function withoutThread({ dependencies, github, repository, issue }: CommandContext): Promise<string[]> {
  const lines = await triggerDecisions(dependencies, repository, null);
  if (lines.length === 0) return [];
  const { dashboard } = await readBook(dependencies.store, repository.id);
  const place = await github.ownIssue(repository, dashboardMarker(repository.id), dashboard);
  return place === null || place === issue.number ? lines : [];
}

/** A decision of the process itself, in its own comment: which contestant won a race. */
function toldVerdict({ kind, input }: EffectState): Verdict | null {
  if (kind !== "publish") return null;
  const { publish } = publishInputSchema.parse(input);
  return publish.operation === "comment" ? (publish.verdict ?? null) : null;
}
