/** The starts of the jobs of Actions mode: `on` of the workflows that use Baton's Action. */
import type { WorkflowStart } from "../trigger/workflow-events.ts";
import { readYaml } from "./yaml-text.ts";

export const workflowFolder = ".github/workflows";

const bounds = { charactersMax: 256 * 1024, depthMax: 50, aliasesMax: 20 };

/** Cron expressions of one workflow. Empty: none of its jobs uses the Action. */
export function wakeUpsOf(text: string): string[] {
  const schedule = at(at(ownWorkflow(text), "on"), "schedule");
  if (!Array.isArray(schedule)) return [];
  return schedule.flatMap((item: unknown) => {
    const cron = at(item, "cron");
    return typeof cron === "string" ? [cron] : [];
  });
}

/** Events that start one workflow, for rules of `triggers`. Empty: none of its jobs uses the Action. */
export function startsOf(text: string): WorkflowStart[] {
  const workflow = ownWorkflow(text);
  const on = at(workflow, "on");
  const names = typeof on === "string" ? [on] : Array.isArray(on) ? on.map(String) : [];
  const starts = [
    ...names.map((name): WorkflowStart => [name, null]),
    ...(names.length > 0 ? [] : Object.entries((on ?? {}) as Record<string, unknown>)).map(
      ([name, given]): WorkflowStart => [name, typesOf(at(given, "types"))],
    ),
  ];
  // The template's condition: an issue without a command starts no runner.
  const asksForCommands = itemsOf(at(workflow, "jobs")).some((job) =>
    /contains\([^)]*github\.event\.issue\.body/.test(String(at(job, "if"))),
  );
  // The template's push starts it only for the configuration.
  const isNarrow = at(at(on, "push"), "paths") !== undefined;
  return starts.filter(([name]) => !(asksForCommands && name === "issues") && !(isNarrow && name === "push"));
}

function typesOf(types: unknown): string[] | null {
  return types === undefined ? null : typeof types === "string" ? [types] : itemsOf(types).map(String);
}

function ownWorkflow(text: string): unknown {
  if (!text.includes("/action@")) return null;
  const read = readYaml(text, bounds);
  return read.ok && itemsOf(at(read.data, "jobs")).some(usesAction) ? read.data : null;
}

function usesAction(job: unknown): boolean {
  return itemsOf(at(job, "steps")).some((step) => /^[\w.-]+\/[\w.-]+\/action@/.test(String(at(step, "uses"))));
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function itemsOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}
