/** The commands of the command line: one file each here, in the order of the help. */
import type { CliCommand } from "../context.ts";
import { configCheck } from "./config-check.ts";
import { configSchema } from "./config-schema.ts";
import { databaseBackup } from "./database-backup.ts";
import { databaseMove } from "./database-move.ts";
import { databaseRestore } from "./database-restore.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { harnessDoctor } from "./harness-doctor.ts";
import { harnessList } from "./harness-list.ts";
import { init } from "./init.ts";
import { journalCat } from "./journal-cat.ts";
import { onboard } from "./onboard.ts";
import { open } from "./open.ts";
import { processCheck } from "./process-check.ts";
import { processList } from "./process-list.ts";
import { processNew } from "./process-new.ts";
import { promptInspect } from "./prompt-inspect.ts";
import { runCancel } from "./run-cancel.ts";
import { runDiff } from "./run-diff.ts";
import { runErase } from "./run-erase.ts";
import { runList } from "./run-list.ts";
import { runRetry } from "./run-retry.ts";
import { runShow } from "./run-show.ts";
import { runStart } from "./run-start.ts";
import { sandboxPolicy } from "./sandbox-policy.ts";
import { sandboxTest } from "./sandbox-test.ts";
import { scheduleList } from "./schedule-list.ts";
import { schedulePause } from "./schedule-pause.ts";
import { scheduleResume } from "./schedule-resume.ts";
import { scheduleRun } from "./schedule-run.ts";
import { start } from "./start.ts";
import { statsSweeps } from "./stats-sweeps.ts";
import { status } from "./status.ts";
import { stop } from "./stop.ts";
import { sweepDetect } from "./sweep-detect.ts";
import { sweepRun } from "./sweep-run.ts";
import { tokenCreate } from "./token-create.ts";
import { tokenList } from "./token-list.ts";
import { tokenRevoke } from "./token-revoke.ts";
import { transcript } from "./transcript.ts";

export const commands: readonly CliCommand[] = [
  init,
  onboard,
  start,
  stop,
  status,
  open,
  doctor,
  demo,
  configCheck,
  configSchema,
  processCheck,
  processList,
  processNew,
  runStart,
  runList,
  runShow,
  runDiff,
  runCancel,
  runRetry,
  runErase,
  journalCat,
  transcript,
  scheduleList,
  scheduleRun,
  schedulePause,
  scheduleResume,
  tokenCreate,
  tokenList,
  tokenRevoke,
  databaseBackup,
  databaseRestore,
  databaseMove,
  sweepDetect,
  sweepRun,
  statsSweeps,
  promptInspect,
  harnessList,
  harnessDoctor,
  sandboxTest,
  sandboxPolicy,
];
