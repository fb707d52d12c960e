/**
 * What a job's own token may, by its workflow file: nothing that GitHub answers tells it before a write fails.
 *
 * JP1 Only what the file says counts. Without `permissions` the repository's default holds, which no job may read: unknown.
 * Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions ("all of those that
 * are not specified are set to `none`"; a job's own take the place of the workflow's) and
 * https://docs.github.com/en/rest/actions/permissions#get-default-workflow-permissions-for-a-repository (needs administration).
 */
import { fieldsOf, parsedYaml } from "../onboarding/workflow-yaml.ts";

/** What any run of Baton in a job writes. */
export const jobNeeds: readonly string[] = ["contents", "pull_requests", "issues", "checks"];

/** By GitHub's names in its API; null: unknown. */
export function permissionsOfJob(workflow: string, job: string): Record<string, string> | null {
  const file = fieldsOf(parsedYaml(workflow));
  const own = fieldsOf(fieldsOf(file?.["jobs"])?.[job]);
  // A job of a workflow that this one calls: what it gets is bounded in two files.
  if (file === null || own === null) return null;
  const said = "permissions" in own ? own["permissions"] : file["permissions"];
  if (said === undefined) return null;
  if (said === "write-all" || said === "read-all") {
    const level = said === "write-all" ? "write" : "read";
    return { metadata: "read", ...Object.fromEntries([...jobNeeds, "actions"].map((name) => [name, level])) };
  }
  if (said !== null && fieldsOf(said) === null) return null;
  const granted: Record<string, string> = { metadata: "read" };
  for (const [name, level] of Object.entries(fieldsOf(said) ?? {}))
    if (level === "read" || level === "write") granted[name.replaceAll("-", "_")] = level;
  return granted;
}
