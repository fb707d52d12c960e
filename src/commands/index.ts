/**
 * The commands of a thread, one line each. Parser, help, refusals, documents and the keys of `commands.allow` follow this
 * list, in this order. `npm run generate` writes the names for the configuration.
 */

import type { CommandName } from "../config/command-names.ts";
import { answer } from "./answer.ts";
import { approve } from "./approve.ts";
import { ask } from "./ask.ts";
import { budget } from "./budget.ts";
import { cancel } from "./cancel.ts";
import type { Command } from "./command.ts";
import { cost } from "./cost.ts";
import { help } from "./help.ts";
import { migrate } from "./migrate.ts";
import { okToTest } from "./ok-to-test.ts";
import { override } from "./override.ts";
import { pause } from "./pause.ts";
import { priority } from "./priority.ts";
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

const registry: { readonly [Name in CommandName]: Command & { name: Name } } = {
  run,
  race,
  status,
  approve,
  reject,
  answer,
  ask,
  cancel,
  retry,
  pause,
  resume,
  budget,
  priority,
  cost,
  why,
  override,
  "ok-to-test": okToTest,
  refresh,
  schedule,
  migrate,
  setup,
  help,
};

export const commands: readonly Command[] = Object.values(registry);
