/** Scenarios run in both modes, except those of `app-only.ts`. */
import { it } from "vitest";
import type { WorldOptions } from "../../packages/local-github/demo/world.ts";
import { actionsWorld } from "./actions-world.ts";
import { appOnly, isReason } from "./app-only.ts";
import { type ObservedWorld, observedWorld } from "./helpers.ts";

type Mode = "app" | "actions";

let mode: Mode = "app";

/** The world of the current scenario, in its mode. */
export function scenarioWorld(options: WorldOptions): Promise<ObservedWorld> {
  const isProof = process.env["BATON_TEST_MODE"] !== undefined;
  return mode === "app" || isProof ? observedWorld(options) : actionsWorld(options);
}

const titleEnds: Record<Mode, string> = { app: "", actions: " (Actions mode)" };

function modesOf(file: string, title: string): Mode[] {
  if (process.env["BATON_TEST_MODE"] === "actions") return isForJobs(file, title) ? ["actions"] : [];
  return isAppOnly(file, title) ? ["app"] : ["app", "actions"];
}

function runIn(given: Mode, body: () => Promise<void>): Promise<void> {
  mode = given;
  return body();
}

export function isAppOnly(file: string, title: string): boolean {
  const exceptions = appOnly[file];
  return exceptions !== undefined && (isReason(exceptions) || exceptions[title] !== undefined);
}

/** A scenario with a test of jobs of its own, or about parts of the App, is not repeated in jobs. */
function isForJobs(file: string, title: string): boolean {
  const listed = appOnly[file];
  const reason = listed === undefined || isReason(listed) ? listed : listed[title];
  return reason === undefined || "decidedBy" in reason;
}

/** Registers scenarios of a file, each in all its modes. */
export function scenariosOf(file: string): (title: string, body: () => Promise<void>) => void {
  return (title, body) => {
    for (const one of modesOf(file, title)) it(`${title}${titleEnds[one]}`, () => runIn(one, body));
  };
}
