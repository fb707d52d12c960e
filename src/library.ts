/**
 * What programs import that run Baton inside themselves (JSON-001): start it, then create, read, list, cancel, retry and
 * advance runs. Process authors import `index.ts`.
 */

export type { Instruction, InstructionsHook, InstructionsLoaded } from "./core/instructions.ts";
export type { Actor, Json, RunId, Thread } from "./core/vocabulary.ts";
export { type AppSettings, readSettings } from "./environment/settings.ts";
export { type Feed, type FeedEntry, follow, type News } from "./ports/feed.ts";
export { type CreateRun, createRunSchema, type ListRuns, listRunsSchema, Runs } from "./runner/runs.ts";
export { type RunSummary, runSummarySchema } from "./summary/summary.ts";
export { type Baton, startBaton } from "./wire.ts";
export { harnessesHere, type OpenedRuns, openGitRuns, openRuns, type RunReader } from "./wire-tools.ts";
