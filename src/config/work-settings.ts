/** The settings of a repository that the ready-made processes need. Performers read the others where they act. */
import { type Settings, settingsSchema } from "./schema.ts";

export type WorkSettings = ReturnType<typeof workSettingsOf>;

export function workSettingsOf(settings: Settings) {
  return {
    planBreakpoint: settings.breakpoints.plan,
    reviewBreakpoint: settings.breakpoints.review,
    protectedPaths: settings.protectedPaths,
    protectedPathsBreakpoint: settings.breakpoints.protectedPaths,
    repairAttempts: settings.limits.repairAttempts,
    reviewRounds: settings.limits.reviewRounds,
    checksTimeoutMs: settings.gates.timeoutMinutes * 60_000,
    merge: settings.merge.mode,
    mergeMethod: settings.merge.method,
    reviewers: settings.approvals.reviewers,
    teams: settings.approvals.teams,
  };
}

/** Reads the form that the journal keeps. */
export function workSettings(kept: unknown): WorkSettings {
  return workSettingsOf(settingsSchema.parse(kept));
}
