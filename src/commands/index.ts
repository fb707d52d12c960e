/** The registry of thread commands: one line each; grammar in `thread/grammar.ts`. */
import { answer } from "./answer.ts";
import { approve } from "./approve.ts";
import { budget } from "./budget.ts";
import { cancel } from "./cancel.ts";
import type { CommandHandler } from "./context.ts";
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

export const commandHandlers: Record<string, CommandHandler> = {
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
};
