/**
 * Permissions of a job's own token, by its workflow file: no answer of GitHub shows them before a write fails.
 *
 * JP1 Only the file counts. Without `permissions` the repository's default applies, which no job may read: unknown.
 * Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions ("all of
 * those that are not specified are set to `none`"; a job's own replace the workflow's) and
 * https://docs.github.com/en/rest/actions/permissions#get-default-workflow-permissions-for-a-repository (needs
 * administration).
 */
import { fieldsOf, parsedYaml } from "../onboarding/workflow-yaml.ts";

/** Writes that every run of Baton in a job needs. */
export const jobNeeds: readonly string[] = ["contents", "pull_requests", "issues", "checks"];

/** By GitHub's names in its API. null: unknown. */
export function permissionsOfJob(workflow: string, job: string): Record<string, string> | null {
  const file = fieldsOf(parsedYaml(workflow));
  const own = fieldsOf(fieldsOf(file?.["jobs"])?.[job]);
  // A job of a called workflow: two files limit its permissions.
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
