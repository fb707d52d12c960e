/**
 * The Action's last step: frees the thread if the main step was killed. Then the next event need not wait for the
 * lease.
 */
import { systemClock } from "../adapters/system/clock.ts";
import { silentLog } from "../adapters/system/log.ts";
import { toBatonError } from "../core/errors.ts";
import { openHome } from "./home.ts";
import { readActionSettings } from "./settings.ts";

const claimMs = 60_000;

try {
  const { STATE_home: home, STATE_owner: owner } = process.env;
  // Empty: the main step ended normally.
  if (home !== undefined && home !== "" && owner !== undefined) await free(home, owner);
} catch (thrown) {
  // The lease expires without this step, which only saves waiting time.
  process.stdout.write(`Baton: the thread could not be freed: ${toBatonError(thrown).code}\n`);
}
process.exit();

async function free(home: string, owner: string): Promise<void> {
  const settings = readActionSettings(process.env);
  const { state } = await openHome(settings, home, silentLog);
  const driver = state.snapshot.driver;
  if (driver?.owner !== owner || driver.expiresAt <= systemClock.now()) return;
  const claim = { owner: `${owner} (after its end)`, job: settings.workflowRunId, ttlMs: claimMs };
  if ((await state.takeDriver({ ...claim, deadOwner: owner })) === null) return;
  await state.releaseDriver(() => false);
  process.stdout.write(`Baton: ${home} is free again; the next event or the schedule goes on.\n`);
}
