/**
 * Frees the thread of a job that was killed. Then the next event need not wait for the lease. The wake-up is on from then
 * (WU1): there may be no next event.
 */
import { createTokenGithub } from "../adapters/github/github-token.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { silentLog } from "../adapters/system/log.ts";
import { toBatonError } from "../core/errors.ts";
import { openHome } from "./home.ts";
import { type ActionSettings, readActionSettings } from "./settings.ts";
import { switchOn } from "./wake-up.ts";

const claimMs = 60_000;

/** Returns a line for the job's log, or nothing. */
export async function freeThread(
  environment: Record<string, string | undefined>,
  home: string,
  owner: string,
): Promise<string> {
  try {
    return (await free(environment, home, owner))
      ? `Baton: ${home} is free again; the next event or the schedule goes on.\n`
      : "";
  } catch (thrown) {
    // The lease expires without this step, which only saves waiting time.
    return `Baton: the thread could not be freed: ${toBatonError(thrown).code}\n`;
  }
}

async function free(environment: Record<string, string | undefined>, home: string, owner: string): Promise<boolean> {
  const settings = readActionSettings(environment);
  const { state } = await openHome(settings, home, silentLog);
  const driver = state.snapshot.driver;
  if (driver?.owner !== owner || driver.expiresAt <= systemClock.now()) return false;
  const claim = { owner: `${owner} (after its end)`, job: settings.workflowRunId, ttlMs: claimMs };
  if ((await state.takeDriver({ ...claim, deadOwner: owner })) === null) return false;
  await state.releaseDriver(() => false);
  await wakeLater(settings);
  return true;
}

async function wakeLater(settings: ActionSettings): Promise<void> {
  const { token, apiUrl, webUrl, appSlug, repository } = settings;
  const github = createTokenGithub({
    token,
    apiUrl,
    webUrl,
    appSlug,
    clock: systemClock,
    ownChecks: [],
    ownCheckRuns: [],
  });
  const found = (): ReturnType<typeof github.repositoryByName> =>
    github.repositoryByName(repository.owner, repository.name);
  await switchOn({ github, settings, log: silentLog, repository: found });
}
