/**
 * What the command line asks a running Baton: one JSON array of arguments to `POST /<operation>` on a socket in the data
 * directory, one JSON value back. The same operations work on the data of a Baton that does not run (`wire-tools.ts`).
 *
 * CS1 Who may open the socket may read and write Baton's data anyway: the socket belongs to Baton's user alone.
 */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { StoredEvent } from "../../core/event.ts";
import { actorSchema } from "../../core/vocabulary.ts";
import type { Circuit } from "../../routing/circuit.ts";
import { listRunsSchema, type Runs } from "../../runner/runs.ts";
import type { Schedules } from "../../runner/schedules.ts";
import type { Sweeps } from "../../runner/sweeps.ts";
import type { StartRequest } from "./start-run.ts";

/** Longer addresses of sockets are not possible: 108 bytes with the NUL in `sockaddr_un` (man 7 unix), 104 on macOS. */
const pathBytesMax = 103;

/** Every data directory has one, known from its path alone. */
export function controlPath(dataDir: string): string {
  const path = join(dataDir, "control.sock");
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 24);
  return join(tmpdir(), `baton-${process.getuid?.() ?? 0}-${name}.sock`);
}

/** What an operator can do with the data of a Baton. */
export interface Operator extends Pick<Runs, "list" | "read" | "cancel" | "erase" | "retry"> {
  /** The whole journal, its hash chain checked. */
  events(runId: string): Promise<StoredEvent[]>;
  /** A kept prompt or transcript of the run; null: it is not kept (any more). */
  blob(runId: string, id: string): Promise<string | null>;
  /** What came of a harness's last attempts; null: no failure is noted. */
  circuit(harness: string): Promise<Circuit | null>;
  schedules: Pick<Schedules, "list" | "run" | "pause" | "resume">;
  sweeps: Pick<Sweeps, "run" | "stats">;
  /** Begins a run in a thread, as `/baton run` there does; returns its id. Needs a running App. */
  start(request: StartRequest): Promise<string>;
  /** Writes the embedded database into a new file of the owner alone; returns its size in bytes. */
  backup(path: string): Promise<number>;
}

export const aboutSchema = z.object({
  version: z.string(),
  pid: z.number().int(),
  startedAt: z.number(),
  url: z.string().nullable(),
  database: z.string(),
  github: z.string(),
  activeRuns: z.number().int(),
});
export type About = z.infer<typeof aboutSchema>;

const runId = z.string().max(100);
const text = z.string().max(1_000);

interface Operation<Arguments extends z.ZodType<unknown[]>> {
  takes: Arguments;
  run(operator: Operator, given: z.infer<Arguments>): Promise<unknown>;
}
const operation = <Arguments extends z.ZodType<unknown[]>>(
  takes: Arguments,
  run: Operation<Arguments>["run"],
): Operation<Arguments> => ({ takes, run });

const askSweepsSchema = z.strictObject({
  owner: text,
  repositories: z.array(text).max(200),
  budgetUsd: z.number(),
  by: actorSchema,
});

export const operations = {
  list: operation(z.tuple([listRunsSchema]), (to, [filter]) => to.list(filter)),
  read: operation(z.tuple([runId]), (to, [id]) => to.read(id)),
  events: operation(z.tuple([runId]), (to, [id]) => to.events(id)),
  blob: operation(z.tuple([runId, text]), (to, [id, blob]) => to.blob(id, blob)),
  cancel: operation(z.tuple([runId, actorSchema, text]), (to, [id, by, reason]) => to.cancel(id, by, reason)),
  erase: operation(z.tuple([runId]), (to, [id]) => to.erase(id)),
  retry: operation(z.tuple([runId, actorSchema]), (to, [id, by]) => to.retry(id, by)),
  circuit: operation(z.tuple([text]), (to, [harness]) => to.circuit(harness)),
  "schedules.list": operation(z.tuple([]), (to) => to.schedules.list()),
  "schedules.run": operation(z.tuple([text, text.nullable(), actorSchema]), (to, given) => to.schedules.run(...given)),
  "schedules.pause": operation(z.tuple([text, text.nullable(), text]), (to, given) => to.schedules.pause(...given)),
  "schedules.resume": operation(z.tuple([text, text.nullable()]), (to, given) => to.schedules.resume(...given)),
  "sweeps.run": operation(z.tuple([askSweepsSchema]), (to, [request]) => to.sweeps.run(request)),
  "sweeps.stats": operation(z.tuple([text.nullable()]), (to, [repository]) => to.sweeps.stats(repository)),
  start: operation(
    z.tuple([
      z.strictObject({
        repository: text,
        number: z.number().int().positive(),
        text: z.string().max(20_000),
        by: actorSchema,
      }),
    ]),
    (to, [request]) => to.start(request),
  ),
  backup: operation(z.tuple([z.string().max(4_096)]), (to, [path]) => to.backup(path)),
} as const;

/** The same operations at the other end of a socket. */
export function remoteOperator(ask: (operation: string, given: readonly unknown[]) => Promise<unknown>): Operator {
  const to =
    (name: keyof typeof operations) =>
    (...given: unknown[]) =>
      ask(name, given) as Promise<never>;
  return {
    list: (filter) => to("list")(filter ?? {}),
    read: to("read"),
    events: to("events"),
    blob: to("blob"),
    cancel: to("cancel"),
    erase: to("erase"),
    retry: to("retry"),
    circuit: to("circuit"),
    start: to("start"),
    backup: to("backup"),
    schedules: {
      list: to("schedules.list"),
      run: to("schedules.run"),
      pause: to("schedules.pause"),
      resume: to("schedules.resume"),
    },
    sweeps: { run: to("sweeps.run"), stats: (repository) => to("sweeps.stats")(repository ?? null) },
  };
}
