/** `/baton schedule …`: in the dashboard issue, whose thread keeps what is remembered of schedules. */

import { beginScheduled } from "../begin/scheduled-run.ts";
import { activeOf, dashboardMarker, dashboardOf, showDashboard } from "../begin/start-due.ts";
import { cancel } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { readBook, readControls, type ScheduleControls, writeControls } from "../runner/schedule-book.ts";
import { scheduleLines } from "../thread/render/dashboard.ts";
import type { CommandContext, CommandHandler } from "./context.ts";

export const schedule: CommandHandler = async (context) => {
  const { dependencies, repository, issue, command, actor } = context;
  const { store, clock } = dependencies;
  const [action, name] = command.positional as [string, string | undefined];
  const loaded = context.configuration;
  const book = { ...(await readBook(store, repository.id)), repository };
  await demandDashboard(context, book.dashboard);
  book.dashboard = issue.number;
  const controls = await readControls(store, repository.id);
  if (action === "list") {
    if (loaded.settings.schedules.length === 0) return "`baton.yaml` has no `schedules`.";
    return scheduleLines((await dashboardOf(dependencies, { repository, book, controls, loaded })).schedules);
  }
  const rule = ruleNamed(context, action, name);
  const change = async (next: ScheduleControls): Promise<void> => {
    await writeControls(store, repository.id, next);
    await showDashboard(dependencies, { repository, book, controls: next, loaded });
  };
  switch (action) {
    case "pause":
      await change({
        ...controls,
        paused: { ...controls.paused, [rule.name]: { by: `@${actor.login}`, at: clock.now() } },
      });
      return `Paused \`${rule.name}\`. \`/baton schedule resume ${rule.name}\` goes on.`;
    case "resume": {
      const { [rule.name]: _gone, ...paused } = controls.paused;
      await change({ ...controls, paused, resumed: { ...controls.resumed, [rule.name]: clock.now() } });
      return `Resumed \`${rule.name}\`. Times that passed meanwhile do not run.`;
    }
    case "cancel": {
      const runId = await activeOf(store, repository.id, issue.number, rule.name);
      if (runId === null) throw new BatonError("BATON_NO_RUN", `No run of \`${rule.name}\` is active.`);
      await context.runner.change(runId, (state) => cancel(state, actor, `@${actor.login} cancelled it.`));
      return `Cancelling the run of \`${rule.name}\`.`;
    }
    default: {
      const now = clock.now();
      const runId = await beginScheduled({
        ...context,
        loaded,
        rule,
        dashboard: issue.number,
        started: { name: rule.name, at: now, late: false, missed: 0 },
      });
      await change({ ...controls, started: { ...controls.started, [rule.name]: runId } });
      return null;
    }
  }
};

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
