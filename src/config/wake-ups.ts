/** What wakes the jobs of Actions mode: `on.schedule` of the workflows that use Baton's Action. */
import { readYaml } from "./yaml-text.ts";

export const workflowFolder = ".github/workflows";

const bounds = { charactersMax: 256 * 1024, depthMax: 50, aliasesMax: 20 };

/** Cron expressions of one workflow; none where it does not use the Action, in whatever job. */
export function wakeUpsOf(text: string): string[] {
  if (!text.includes("/action@")) return [];
  const read = readYaml(text, bounds);
  if (!read.ok || !itemsOf(at(read.data, "jobs")).some(usesAction)) return [];
  const schedule = at(at(read.data, "on"), "schedule");
  if (!Array.isArray(schedule)) return [];
  return schedule.flatMap((item: unknown) => {
    const cron = at(item, "cron");
    return typeof cron === "string" ? [cron] : [];
  });
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
