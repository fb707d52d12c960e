/** Whether this machine can run the tests that need a sandbox. If it cannot, they are skipped and say why. */
import { silentLog } from "../src/adapters/system/log.ts";
import { machineSandbox } from "../src/wire-sandbox.ts";

const state = await machineSandbox("/nonexistent", silentLog).state();

export const sandboxWorks = state.works;

if (!sandboxWorks) process.stderr.write(`Sandbox tests are skipped: ${state.problem} ${state.remedy ?? ""}\n`);
