/**
 * Scenarios run in both modes. Those that run only in the App's are listed here, each with its reason; `modes.test.ts` checks
 * that every name is one of a scenario.
 */
import { it } from "vitest";
import type { WorldOptions } from "../../src/demo/world.ts";
import { actionsWorld } from "./actions-world.ts";
import { type ObservedWorld, observedWorld } from "./helpers.ts";

type Mode = "app" | "actions";

const sameCode = "Engine and process alone decide this, from a journal; no code of a mode is on the way.";
const policyFirst =
  "Refused by policy before anything of a mode happens; `test/action/two-jobs.test.ts` has a stranger.";

/** By file without `.test.ts`; a text: none of its scenarios. */
export const appOnly: Record<string, string | Record<string, string>> = {
  "bad-input": "The door of the App and its deliveries; a job has an event file: `src/action/event.test.ts`.",
  "branch-names": sameCode,
  "commands-anywhere": "A simulation of the engine; events of jobs: `test/action/triggers.test.ts`.",
  config: "Check runs of a change of `baton.yaml`; by events of jobs: `test/action/triggers.test.ts`.",
  crash: "Kills the App's process; jobs are killed at their pushes in `test/action/jobs.test.ts`.",
  "day-budget": "`test/action/budget.test.ts` has the same for jobs.",
  "engine-ends": "A simulation of the engine without either mode.",
  faults: "Faults of webhooks and of the App's database.",
  "free-plan": sameCode,
  "late-answers": "A simulation of the engine without either mode.",
  library: "The library starts the App.",
  "locked-thread": sameCode,
  "merge-refused": sameCode,
  migrate: sameCode,
  "missed-deliveries": "The App's delivery log; jobs read comments again: `test/action/jobs.test.ts`.",
  "model-proxy": "The proxy is the same object; `test/action/budget.test.ts` meters a job by it.",
  partial: sameCode,
  "policy-verdicts": "A simulation of the engine without either mode.",
  preflight: "What an installation was granted; of a job's token: `test/action/jobs.test.ts`.",
  race: "`test/action/race.test.ts` has the same for jobs.",
  replicas: "Replicas of the App on one database; many jobs at once: `test/action/jobs.test.ts`.",
  retargeted: sameCode,
  routing: sameCode,
  sandbox: "The sandbox is the same object; how a job prepares it: `src/action/prepare-sandbox.test.ts`.",
  schedules: "`test/action/schedules.test.ts` has the same for jobs.",
  "second-try": sameCode,
  sweep: "The process is the same; who starts it in a job: `test/action/schedules.test.ts`.",
  "versions-side-by-side": "Two replicas of the App on one database; jobs of one thread run one after the other.",
  settings: "One table over keys of `baton.yaml`, each read by the engine.",
  simulation: "A simulation of the App's two replicas.",
  templates: sameCode,
  "workflow-approval": sameCode,
  "yaml-process": sameCode,
  run: {
    "commits carry the run, the step and the asking person":
      "It lists all refs, and in Actions mode the state is there too.",
    "the same comment delivered again begins nothing":
      "Redelivery is the App's; a job that is started again: `test/action/jobs.test.ts`.",
    "red for ever: stops after the limit with an honest verdict": sameCode,
    "no CI at all is not green, unless a setting says so": sameCode,
    "the person who started the run cannot approve it; another can": sameCode,
    "`approvals.self: allow` lets them, and the thread says so": sameCode,
    "an edited comment, a quote and code are no commands": "`src/action/event.test.ts` has these texts as events.",
    "help says which commands the asker may use": sameCode,
    "a fork's head is never worked on, and the answer says why": policyFirst,
    "a broken baton.yaml starts nothing and names the line": policyFirst,
    "cancel stops the harness in the middle and keeps what was pushed":
      "The App hears the command at once; a job within its ten seconds' look, as `test/action/jobs.test.ts` shows.",
    "pause begins nothing further until resume": "As for cancel: a second job brings the word to the first.",
    "status, cost and why are answered in the thread; a second run is refused while one is active": sameCode,
    "retry begins the last run anew, on the work that was pushed": sameCode,
    "wait for another person before anything is pushed":
      "No token of a job may push a workflow file: `test/action/jobs.test.ts` shows both ends.",
    "`breakpoints.protectedPaths: deny` publishes nothing": sameCode,
    "is refused where the operator does not allow it, with what to do": policyFirst,
    "runs in place of the operator's where it is allowed": sameCode,
    "edits nothing: an honest end": sameCode,
    "an unknown harness is refused with the known ones": policyFirst,
    "a typo is answered with a suggestion and never executed": sameCode,
  },
};

let mode: Mode = "app";

/** The world of the scenario that runs, in its mode. */
export function scenarioWorld(options: WorldOptions): Promise<ObservedWorld> {
  return mode === "app" ? observedWorld(options) : actionsWorld(options);
}

const titleEnds: Record<Mode, string> = { app: "", actions: " (Actions mode)" };

function modesOf(file: string, title: string): Mode[] {
  const exceptions = appOnly[file];
  return typeof exceptions === "string" || exceptions?.[title] !== undefined ? ["app"] : ["app", "actions"];
}

function runIn(given: Mode, body: () => Promise<void>): Promise<void> {
  mode = given;
  return body();
}

/** Registers scenarios of a file, each in every mode that it is for. */
export function scenariosOf(file: string): (title: string, body: () => Promise<void>) => void {
  return (title, body) => {
    for (const one of modesOf(file, title)) it(`${title}${titleEnds[one]}`, () => runIn(one, body));
  };
}
