/** The registry: one line a benchmark. */
import { actionStart } from "./action-start.ts";
import { agentStep } from "./agent-step.ts";
import { coldStart } from "./cold-start.ts";
import { cpu } from "./cpu.ts";
import { deliveredToSpawn } from "./delivered-to-spawn.ts";
import { demoDuration } from "./demo-duration.ts";
import { engineOverhead } from "./engine-overhead.ts";
import type { Bench } from "./figure.ts";
import { journalAppend } from "./journal-append.ts";
import { promptPrefix } from "./prompt-prefix.ts";
import { replayJournal } from "./replay-journal.ts";
import { step } from "./step.ts";
import { webhookAnswer } from "./webhook-answer.ts";
import { workspaces } from "./workspaces.ts";

export const benches: readonly Bench[] = [
  webhookAnswer,
  deliveredToSpawn,
  engineOverhead,
  step,
  agentStep,
  replayJournal,
  workspaces,
  journalAppend,
  promptPrefix,
  coldStart,
  cpu,
  actionStart,
  demoDuration,
];
