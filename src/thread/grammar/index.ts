/**
 * The commands of a thread: one file each here, one handler of the same name in `commands/`.
 * Help, refusals and suggestions are generated from them, in this order.
 */
import { answer } from "./answer.ts";
import { approve } from "./approve.ts";
import { budget } from "./budget.ts";
import { cancel } from "./cancel.ts";
import type { CommandGrammar } from "./command.ts";
import { cost } from "./cost.ts";
import { help } from "./help.ts";
import { migrate } from "./migrate.ts";
import { pause } from "./pause.ts";
import { race } from "./race.ts";
import { refresh } from "./refresh.ts";
import { reject } from "./reject.ts";
import { resume } from "./resume.ts";
import { retry } from "./retry.ts";
import { run } from "./run.ts";
import { schedule } from "./schedule.ts";
import { setup } from "./setup.ts";
import { status } from "./status.ts";
import { why } from "./why.ts";

export type { CommandGrammar } from "./command.ts";

export const grammars: readonly CommandGrammar[] = [
  run,
  race,
  status,
  approve,
  reject,
  answer,
  cancel,
  retry,
  pause,
  resume,
  budget,
  cost,
  why,
  refresh,
  schedule,
  migrate,
  setup,
  help,
];
