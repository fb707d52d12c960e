/**
 * The read-only lane for the head of a fork: its processes, and the settings that hold there.
 *
 * FL1 Nothing of a repository's settings opens the lane: no host, no setup command, no server of tools, no runner.
 * FL2 The sandbox is required. Where it does not work, the lane is closed.
 */
import type { Settings } from "../config/schema.ts";
import type { ForkLane } from "./facts.ts";

/** Processes of Baton's own that change nothing. */
const reading: readonly string[] = ["review", "explore", "verify"];

/** The command's part of the lane. Another process of this name in the repository never takes precedence. */
export function forkLane(
  { name, text = "", options = {} }: { name: string; text?: string; options?: Readonly<Record<string, unknown>> },
  headSha: string,
): ForkLane {
  const [first = ""] = text.trim().split(/\s+/);
  const process = name === "ask" ? "explore" : name === "run" && reading.includes(first) ? first : null;
  const named = options["head"];
  return {
    process,
    named: typeof named === "string" ? named : null,
    headSha,
    again: name === "ask" ? `/baton ask --head ${headSha} …` : `/baton run ${first} --head ${headSha}`,
  };
}

/** FL1, FL2 */
export function forkSettings(settings: Settings): Settings {
  return { ...settings, mcp: {}, sandbox: { mode: "require", network: [], setup: [] } };
}
