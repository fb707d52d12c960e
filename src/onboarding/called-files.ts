/** Which files of the same repository a workflow or a composite action calls. */
import { fieldsOf, parsedYaml } from "./workflow-yaml.ts";

/** Paths from the root. An action has both names that its file may have. */
export function localCalls(text: string): string[] {
  const file = fieldsOf(parsedYaml(text));
  const jobs = Object.values(fieldsOf(file?.["jobs"]) ?? {}).map((job) => fieldsOf(job) ?? {});
  const steps = [...jobs.map((job) => job["steps"]), fieldsOf(file?.["runs"])?.["steps"]].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  const uses = [...jobs, ...steps.map((step) => fieldsOf(step) ?? {})].flatMap((fields) => fields["uses"] ?? []);
  return uses.flatMap((called) => {
    if (typeof called !== "string" || !called.startsWith("./")) return [];
    const path = called.slice(2).replace(/\/+$/, "");
    if (/\.ya?ml$/.test(path)) return [path];
    const from = path === "" ? "" : `${path}/`;
    return [`${from}action.yml`, `${from}action.yaml`];
  });
}

/** A path that stays in the repository. */
export function isCalledPath(path: string): boolean {
  return /\.ya?ml$/.test(path) && !path.split("/").includes("..");
}
