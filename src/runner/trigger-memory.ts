/**
 * The memory of a repository's triggers: their starts, refusals and decisions.
 *
 * TM1 An unreadable record counts as full: nothing starts for an hour. Events of bots start nothing for as long as
 *     Baton remembers a chain.
 * TM2 Refusals cost calls, so they count against the bound as starts do. One person's refusals count only up to a
 *     limit: a stranger silences nobody.
 */
import { z } from "zod";
import { limits } from "../core/limits.ts";
import { defineValues } from "../ports/values.ts";
import type { PastStart } from "../trigger/judge.ts";

const startSchema: z.ZodType<PastStart> = z.object({
  rule: z.string(),
  runId: z.string(),
  at: z.number(),
  thread: z.number().nullable(),
  actor: z.string(),
  depth: z.number(),
  parent: z.string().nullable(),
  budgetUsd: z.number().optional(),
});
const refusedSchema = z.object({ at: z.number(), actor: z.string() });
const decisionSchema = z.object({
  at: z.number(),
  rule: z.string(),
  event: z.string(),
  thread: z.number().nullable(),
  said: z.string(),
});
type Decision = z.infer<typeof decisionSchema>;

export interface TriggerMemory {
  starts: PastStart[];
  /** Events of the last hour that Baton refused after it asked GitHub. */
  refused: z.infer<typeof refusedSchema>[];
  /** Events that started nothing because of a bound, by rule. */
  folded: Record<string, number>;
  /** The newest decisions, for `/baton why`. */
  decisions: Decision[];
  /** When Baton found an unreadable part of starts or refusals. null: never. */
  unreadAt: number | null;
}

const hourMs = 3_600_000;
const decisionsMax = 100;

/** The raw stored value: `memoryIn` reads it. */
export const triggerMemory = defineValues("triggers/", z.json());
/** Events that Baton counted but did not check, because the repository was at its bound. */
export const triggersHeld = defineValues("triggers-held/", z.number().catch(0));

/** Reads each part and each entry separately. null: nothing is stored yet. */
export function memoryIn(value: unknown, now: number): TriggerMemory {
  if (value === null || value === undefined)
    return { starts: [], refused: [], folded: {}, decisions: [], unreadAt: null };
  const parts = z.record(z.string(), z.unknown()).catch({}).parse(value);
  const starts = entriesOf(startSchema, parts["starts"]);
  const refused = entriesOf(refusedSchema, parts["refused"] ?? []);
  const unread = z
    .number()
    .nullable()
    .safeParse(parts["unreadAt"] ?? null);
  const isLost = !starts.isWhole || !refused.isWhole || !unread.success;
  return {
    starts: starts.read,
    refused: refused.read,
    folded: z.record(z.string(), z.number()).catch({}).parse(parts["folded"]),
    decisions: entriesOf(decisionSchema, parts["decisions"]).read,
    unreadAt: isLost ? now : unread.data === null ? null : Math.min(unread.data, now),
  };
}

function entriesOf<T>(schema: z.ZodType<T>, value: unknown): { read: T[]; isWhole: boolean } {
  if (!Array.isArray(value)) return { read: [], isWhole: false };
  const read = value.map((one) => schema.safeParse(one));
  return { read: read.flatMap(({ data }) => data ?? []), isWhole: read.every(({ success }) => success) };
}

/** TM1, TM2 */
export function isFull({ starts, refused, unreadAt }: TriggerMemory, now: number): boolean {
  if (unreadAt !== null && unreadAt > now - hourMs) return true;
  const recent = [...starts, ...refused].filter(({ at }) => at > now - hourMs);
  return recent.length >= limits.triggerStartsPerHourMax;
}

/** TM2 */
export function isRefusedTooOften({ refused }: TriggerMemory, actor: string, now: number): boolean {
  const mine = refused.filter((one) => one.actor === actor && one.at > now - hourMs);
  return mine.length >= limits.triggerRefusalsPerActorMax;
}

/** True if the actions of bots are unknown: Baton could not detect a loop. */
export function isChainUnknown({ unreadAt }: TriggerMemory, now: number): boolean {
  return unreadAt !== null && unreadAt > now - limits.triggerChainMs;
}

export function withStart(memory: TriggerMemory, start: PastStart): TriggerMemory {
  return { ...memory, starts: [...memory.starts, start].filter(({ at }) => at > start.at - limits.triggerChainMs) };
}

/** The start of a run that did not begin after all. */
export function withRefusal(
  memory: TriggerMemory,
  runId: string,
  refusal: { at: number; actor: string },
): TriggerMemory {
  return {
    ...memory,
    starts: memory.starts.filter((one) => one.runId !== runId),
    refused: [...memory.refused, refusal].filter(({ at }) => at > refusal.at - hourMs),
  };
}

export function withFolded(memory: TriggerMemory, rule: string): TriggerMemory {
  const before = Object.hasOwn(memory.folded, rule) ? (memory.folded[rule] ?? 0) : 0;
  return { ...memory, folded: { ...memory.folded, [rule]: before + 1 } };
}

export function withDecision(memory: TriggerMemory, decision: Decision): TriggerMemory {
  return { ...memory, decisions: [...memory.decisions, decision].slice(-decisionsMax) };
}

/** Decisions of rules about events of a thread, newest first. null: about events without a thread. */
export function decisionLines({ decisions, folded }: TriggerMemory, held: number, thread: number | null): string[] {
  const lines = decisions
    .filter((one) => one.thread === thread)
    .toReversed()
    .slice(0, 10)
    .map(
      ({ at, rule, event, said }) => `${new Date(at).toISOString().slice(0, 16)}: \`${rule}\` on \`${event}\`: ${said}`,
    );
  if (lines.length === 0) return [];
  const counted = Object.entries(folded).map(
    ([rule, count]) => `${count} events of \`${rule}\` started nothing because of a limit`,
  );
  if (held > 0) counted.push(`${held} events started nothing because the repository was at its limit`);
  return [...lines, ...counted];
}
