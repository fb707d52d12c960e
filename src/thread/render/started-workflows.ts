/** The answer to `/baton ok-to-test`. */
import { plural } from "../../text/format.ts";

export function startedWorkflows(sha: string, { started, refused }: { started: number; refused: number }): string {
  const commit = `\`${sha.slice(0, 12)}\``;
  if (refused === 0) return `✅ **${plural(started, "workflow")} of ${commit} may start.** A new commit waits again.`;
  return [
    `⚠️ **GitHub refused to start ${plural(refused, "workflow")} of ${commit}.**`,
    ...(started === 0 ? [] : [`${plural(started, "other workflow")} may start.`]),
    "Baton needs the permission `actions: write`. Without it, approve the workflows on the page of the pull request.",
  ].join(" ");
}
