/** What wakes the jobs of Actions mode: `on.schedule` of the workflows that use Baton's Action. */
import { isMap, isScalar, isSeq, parseDocument } from "yaml";

export const workflowFolder = ".github/workflows";

/** Cron expressions of one workflow; none where it does not use the Action. */
export function wakeUpsOf(text: string): string[] {
  // A reader of the whole file: what it says of the Action may stand in any job.
  if (text.length > 256 * 1024 || !/^\s*(?:-\s*)?uses:\s*['"]?[\w.-]+\/[\w.-]+\/action@/m.test(text)) return [];
  const document = parseDocument(text, { logLevel: "error" });
  const schedule = document.getIn(["on", "schedule"]);
  if (!isSeq(schedule)) return [];
  return schedule.items.flatMap((item) => {
    const cron = isMap(item) ? item.get("cron", true) : null;
    return isScalar(cron) && typeof cron.value === "string" ? [cron.value] : [];
  });
}
