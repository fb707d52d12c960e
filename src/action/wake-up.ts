/**
 * The wake-up's own workflow, which Baton switches on and off.
 *
 * WU1 It is on while a run waits or a schedule is set. A job switches it on before it drives a thread, so that something
 *     takes over if the job dies, and again when it leaves something behind. A repository without its file is woken by
 *     its events, or by its own schedule.
 * WU2 It switches itself off while nothing waits. Then it looks again, because a job that left something behind
 *     meanwhile saw it on.
 * WU3 It never tries to start a workflow that is disabled, because that fails each hour. It switches itself off. Where the
 *     workflow does not exist, it fails once.
 */
import type { TokenGithub } from "../adapters/github/github-token.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Log } from "../ports/log.ts";
import type { ActionSettings } from "./settings.ts";

export interface WakeUpPlace {
  github: Pick<TokenGithub, "isWorkflowOn" | "switchWorkflow" | "dispatch">;
  repository(): Promise<Repository>;
  settings: Pick<ActionSettings, "wakeUp" | "workflow">;
  log: Log;
}

/** WU1 */
export async function switchOn({ github, repository, settings, log }: WakeUpPlace): Promise<void> {
  try {
    const place = await repository();
    if ((await github.isWorkflowOn(place, settings.wakeUp)) === false)
      await github.switchWorkflow(place, settings.wakeUp, true);
  } catch (thrown) {
    log.warn("The wake-up could not be switched on; the next event continues the work", {
      error: toBatonError(thrown),
    });
  }
}

/** Returns in words what the wake-up did. `due`: the reason to start Baton's workflow. null: nothing is due. */
export async function wakeUp(
  place: WakeUpPlace,
  { due, isAwaited }: { due: string | null; isAwaited(): Promise<boolean> },
): Promise<string> {
  const repository = await place.repository();
  if (due !== null) return startDue(place, repository, due);
  if (await isAwaited()) return "Nothing is due yet.";
  if (!(await switchOff(place, repository))) return "Nothing waits.";
  // WU2
  if (!(await isAwaited())) return "Nothing waits, so the wake-up is switched off until something does.";
  await switchOn(place);
  return "Something began to wait meanwhile.";
}

async function startDue(place: WakeUpPlace, repository: Repository, due: string): Promise<string> {
  const { github, settings } = place;
  const { workflow } = settings;
  const isOn = await github.isWorkflowOn(repository, workflow);
  if (isOn === true) {
    await github.dispatch(repository, workflow, repository.defaultBranch, {});
    return `${due} \`${workflow}\` is started.`;
  }
  // WU3
  await switchOff(place, repository);
  if (isOn === null)
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      `${due} There is no workflow \`${workflow}\` to start. Name Baton's workflow in the input \`workflow\` of the wake-up, and enable the wake-up again.`,
    );
  return `${due} \`${workflow}\` is disabled, so nothing is started. The wake-up is switched off. To continue, enable both workflows.`;
}

async function switchOff({ github, settings, log }: WakeUpPlace, repository: Repository): Promise<boolean> {
  try {
    await github.switchWorkflow(repository, settings.wakeUp, false);
    return true;
  } catch (thrown) {
    log.warn("The wake-up could not be switched off", { error: toBatonError(thrown) });
    return false;
  }
}
