/** `/baton schedule …`: in the dashboard issue, whose thread keeps Baton's memory of schedules. */

import { z } from "zod";
import { dashboardMarker } from "../begin/open-dashboard.ts";
import { beginRule } from "../begin/rule-run.ts";
import { activeOf, dashboardOf, showDashboard } from "../begin/start-due.ts";
import { cancel } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { changeControls, pauseOf, readBook, readControls, resumeOf } from "../runner/schedule-book.ts";
import { nameSchema } from "../thread/grammar.ts";
import { scheduleLines } from "../thread/render/dashboard.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

const scheduleActions = ["list", "run", "pause", "resume", "cancel"] as const;

export const schedule = defineCommand({
  name: "schedule",
  usage: "schedule list | run NAME | pause NAME | resume NAME | cancel NAME",
  summary:
    "Show the schedules of `baton.yaml`, run one now, pause or resume it, or cancel its run. In the dashboard issue.",
  examples: ["schedule list", "schedule run nightly", "schedule pause nightly"],
  needs: "run",
  appliesTo: ["issue"],
  positional: [
    {
      name: "action",
      summary: "What to do.",
      required: true,
      schema: z.enum(scheduleActions, `one of ${scheduleActions.join(", ")}`),
    },
    { name: "NAME", summary: "Name of the schedule.", required: false, schema: nameSchema },
  ],
  needsRun: false,
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { dependencies, repository, issue, command, actor } = context;
  const { store, clock } = dependencies;
  const [action, name] = command.positional as [string, string | undefined];
  const loaded = context.configuration;
  const book = { ...(await readBook(store, repository.id)), repository };
  await demandDashboard(context, book.dashboard);
  book.dashboard = issue.number;
  if (action === "list") {
    const controls = await readControls(store, repository.id);
    if (loaded.settings.schedules.length === 0) return "`baton.yaml` has no `schedules`.";
    return scheduleLines((await dashboardOf(dependencies, { repository, book, controls, loaded })).schedules);
  }
  if (action === "cancel" && name !== undefined) return cancelNamed(context, name);
  const rule = ruleNamed(context, action, name);
  const change = async (next: Parameters<typeof changeControls>[2]): Promise<void> => {
    const controls = await changeControls(dependencies, repository.id, next);
    await showDashboard(dependencies, { repository, book, controls, loaded });
  };
  switch (action) {
    case "pause":
      await change(pauseOf(rule.name, `@${actor.login}`, clock.now()));
      return `Paused \`${rule.name}\`. \`/baton schedule resume ${rule.name}\` goes on.`;
    case "resume":
      await change(resumeOf(rule.name, clock.now()));
      return `Resumed \`${rule.name}\`. Times that passed meanwhile do not run.`;
    default: {
      const now = clock.now();
      const runId = await beginRule({
        ...context,
        loaded,
        rule,
        thread: issue.number,
        startedBy: { kind: "schedule", name: rule.name, at: now, late: false, missed: 0 },
      });
      await change((controls) => ({ ...controls, started: { ...controls.started, [rule.name]: runId } }));
      return null;
    }
  }
}

/** Finds the run by the name of its rule. This covers rules of `triggers`, and rules that `baton.yaml` no longer has. */
async function cancelNamed(context: CommandContext, name: string): Promise<string> {
  const { dependencies, repository, issue, actor, settings } = context;
  const runId = await activeOf(dependencies.store, repository.id, issue.number, name);
  if (runId === null) {
    if (!settings.triggers.some((one) => one.name === name)) ruleNamed(context, "cancel", name);
    throw new BatonError("BATON_NO_RUN", `No run of \`${name}\` is active.`);
  }
  await context.runner.change(runId, (state) => cancel(state, actor, `@${actor.login} cancelled it.`));
  return `Cancelling the run of \`${name}\`.`;
}

async function demandDashboard({ github, repository, issue }: CommandContext, known: number | null): Promise<void> {
  const dashboard = await github.ownIssue(repository, dashboardMarker(repository.id), known);
  if (dashboard === issue.number) return;
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    dashboard === null
      ? "This repository has no dashboard issue yet. Baton opens it when `baton.yaml` on the default branch has `schedules`."
      : `\`/baton schedule\` works in the dashboard issue: #${dashboard}.`,
  );
}

function ruleNamed({ settings }: CommandContext, action: string, name: string | undefined) {
  const names = settings.schedules.map((one) => one.name);
  if (name === undefined)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `Write \`/baton schedule ${action} NAME\`. There are: ${listOf(names)}.`,
    );
  const rule = settings.schedules.find((one) => one.name === name);
  if (rule !== undefined) return rule;
  const meant = nearest(name, names);
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `There is no schedule \`${name}\`.${meant === null ? "" : ` Did you mean \`${meant}\`?`} There are: ${listOf(names)}.`,
  );
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((one) => `\`${one}\``).join(", ");
}
