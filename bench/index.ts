/** The registry: one line a benchmark. */
import { engineOverhead } from "./engine-overhead.ts";
import type { Bench } from "./figure.ts";
import { journalAppend } from "./journal-append.ts";
import { replayJournal } from "./replay-journal.ts";

export const benches: readonly Bench[] = [journalAppend, engineOverhead, replayJournal];
