/**
 * The first of two jobs. It reads the event with a read-only token and without a key, and decides whether the second
 * job starts.
 *
 * JE1 A command starts it only when its author may run or steer, or may give this particular command. Others read the
 *     reason in the job's summary, and the thread stays silent.
 * JE2 This job's decision permits nothing: the second job asks GitHub again.
 * JE3 Rules of `triggers` are judged by the same function as in an App. A repository without any costs one call.
 */

import { judgeRules, triggersAreFull } from "../begin/fire-triggers.ts";
import { dashboardMarker } from "../begin/open-dashboard.ts";
import type { DashboardEdit } from "../begin/tick-dashboard.ts";
import { commands } from "../commands/index.ts";
import type { CommandName } from "../config/command-names.ts";
import { configPaths } from "../config/parse.ts";
import { type CommentEvent, hear, judgeCommand } from "../intake/handle-comment.ts";
import type { Github } from "../ports/github.ts";
import { type Dependencies, type SharedValues } from "../runner/dependencies.ts";
import { loadSettings } from "../runner/load-settings.ts";
import type { TriggerEvent } from "../trigger/event.ts";

export interface CommentJudgement {
  start: boolean;
  /** For people. */
  reason: string;
  /** False: the command itself needs no agent. */
  agent?: boolean;
}

/** They only answer or stop. Any other command may begin or continue work. */
const quietCommands: readonly CommandName[] = ["help", "status", "cost", "why", "cancel", "pause"];

export async function judgeComment(
  dependencies: Pick<Dependencies, "github" | "owners">,
  event: CommentEvent,
): Promise<CommentJudgement> {
  const heard = await hear(dependencies, event);
  if (typeof heard === "string") return { start: false, reason: sentence(heard) };
  const { parsed, actor, trusted } = heard;
  const grammar = parsed.kind === "command" ? commands.find(({ name }) => name === parsed.name) : undefined;
  const agent = parsed.kind === "command" && !quietCommands.some((name) => name === parsed.name);
  // If a person who may run makes a typo, Baton answers in the thread.
  if (trusted || parsed.kind !== "command" || grammar === undefined)
    return { start: trusted, agent, reason: `@${actor.login} gives a command.` };
  const { verdict } = await judgeCommand(heard, event, parsed, grammar);
  if (verdict.status === "passed") return { start: true, agent, reason: verdict.reason };
  return { start: false, reason: `Nothing was started. ${verdict.reason}` };
}

/** Judges an edit of the dashboard issue. Another issue with its marker does not count. */
export async function judgeEdit(
  { github }: Pick<Dependencies, "github">,
  { repository, number, sender }: DashboardEdit,
): Promise<CommentJudgement> {
  const { bot } = await github.identity();
  if (sender.id === bot.id) return { start: false, reason: "Own edit." };
  const marker = dashboardMarker(repository.id);
  const own = await (await github.installation(repository.installationId)).ownIssue(repository, marker, number);
  return own === number
    ? { start: true, reason: `@${sender.login} edited the dashboard issue.` }
    : { start: false, reason: "The issue is not the dashboard." };
}

/** null: no rule matches the event. */
export async function judgeTriggers(
  dependencies: Pick<Dependencies, "github" | "processes">,
  event: TriggerEvent,
  { shared, now }: { shared: Pick<SharedValues, "value">; now: number },
): Promise<CommentJudgement | null> {
  const github = await dependencies.github.installation(event.repository.installationId);
  if (!(await mayHaveTriggers(github, event))) return null;
  const { repository } = event;
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const judged = await judgeRules(dependencies, github, loaded, event);
  if (judged.length === 0) return null;
  const said = judged.map(({ rule, reason }) => `\`${rule.name}\`: ${reason}`).join(" ");
  if (!judged.some(({ starts }) => starts)) return { start: false, reason: `No rule starts anything. ${said}` };
  if (await triggersAreFull(shared, repository.id, now))
    return { start: false, reason: "Triggers are at their limit within this hour, so this event starts nothing." };
  return { start: true, reason: said };
}

async function mayHaveTriggers(github: Pick<Github, "file">, { repository }: TriggerEvent): Promise<boolean> {
  for (const path of configPaths) {
    const text = await github.file(repository, path, null);
    if (text !== null) return text.includes("triggers");
  }
  return false;
}

function sentence(note: string): string {
  return `${note.charAt(0).toUpperCase()}${note.slice(1)}.`;
}
