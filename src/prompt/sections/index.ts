/**
 * The registry: one line a section, in the order of the prompt. Within a stratum, the most general section comes first. So
 * different prompts share the longest possible beginning.
 */
import type { PromptSection } from "../section.ts";
import { change } from "./change.ts";
import { codingPhilosophy } from "./coding-philosophy.ts";
import { configuration } from "./configuration.ts";
import { expectedOutcomes } from "./expected-outcomes.ts";
import { gitSafety } from "./git-safety.ts";
import { handoffs } from "./handoffs.ts";
import { headless } from "./headless.ts";
import { identity } from "./identity.ts";
import { interactive } from "./interactive.ts";
import { network } from "./network.ts";
import { output } from "./output.ts";
import { plan } from "./plan.ts";
import { planOnly } from "./plan-only.ts";
import { project } from "./project.ts";
import { projectInstructions } from "./project-instructions.ts";
import { resume } from "./resume.ts";
import { safety } from "./safety.ts";
import { scope } from "./scope.ts";
import { task } from "./task.ts";
import { thread } from "./thread.ts";
import { toolServers } from "./tool-servers.ts";
import { tools } from "./tools.ts";
import { worker } from "./worker.ts";

export const sections: readonly PromptSection[] = [
  identity,
  safety,
  output,
  headless,
  interactive,
  tools,
  codingPhilosophy,
  gitSafety,
  worker,
  planOnly,
  project,
  projectInstructions,
  configuration,
  toolServers,
  network,
  plan,
  expectedOutcomes,
  thread,
  handoffs,
  change,
  scope,
  task,
  resume,
];
