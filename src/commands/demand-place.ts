/** Whether a process works on the thread that it was asked for in; if not, which do. */
import { BatonError } from "../core/errors.ts";
import type { ProcessRegistry } from "../core/process.ts";
import type { Thread } from "../core/vocabulary.ts";

const both = ["issue", "pull-request"] as const;

/** A name that the registry does not have is left to who looks for it elsewhere. */
export function demandPlace(processes: ProcessRegistry, name: string | null, pullRequest: object | null): void {
  if (name === null || !processes.names().includes(name)) return;
  const kind: Thread["kind"] = pullRequest === null ? "issue" : "pull-request";
  const placesOf = (one: string): readonly Thread["kind"][] => processes.latest(one).on ?? both;
  if (placesOf(name).includes(kind)) return;
  const fit = processes.names().filter((one) => placesOf(one).includes(kind));
  const words = { issue: "issues", "pull-request": "pull requests" };
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `\`${name}\` works on ${placesOf(name)
      .map((place) => words[place])
      .join(" and ")}, and this is ${kind === "issue" ? "an issue" : "a pull request"}. Here there ${
      fit.length === 0 ? "is none" : `are: ${fit.map((one) => `\`${one}\``).join(", ")}`
    }.`,
  );
}
