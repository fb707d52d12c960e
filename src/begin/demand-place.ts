/** Whether a process works on the thread that it was asked for in; if not, which do. */
import { BatonError } from "../core/errors.ts";
import type { Thread } from "../core/vocabulary.ts";
import type { ProcessDefinition, ProcessRegistry } from "../process/process.ts";

const both = ["issue", "pull-request"] as const;

/** A name that the registry does not have is left to who looks for it elsewhere. */
export function demandPlace(processes: ProcessRegistry, name: string | null, pullRequest: object | null): void {
  if (name !== null && processes.names().includes(name)) demandPlaceOf(processes, processes.latest(name), pullRequest);
}

export function demandPlaceOf(
  processes: ProcessRegistry,
  { name, on = both }: Pick<ProcessDefinition, "name" | "on">,
  pullRequest: object | null,
): void {
  const kind: Thread["kind"] = pullRequest === null ? "issue" : "pull-request";
  if (on.includes(kind)) return;
  const fit = processes.names().filter((one) => (processes.latest(one).on ?? both).includes(kind));
  const words = { issue: "issues", "pull-request": "pull requests" };
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `\`${name}\` works on ${on
      .map((place) => words[place])
      .join(" and ")}, and this is ${kind === "issue" ? "an issue" : "a pull request"}. Here there ${
      fit.length === 0 ? "is none" : `are: ${fit.map((one) => `\`${one}\``).join(", ")}`
    }.`,
  );
}
