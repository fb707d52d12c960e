/**
 * The protocol between the command line and a running Baton, over a socket in the data directory. A call sends one JSON
 * array of arguments to `POST /<operation>`, and gets one JSON value back. The same operations work on the data of a stopped
 * Baton (`wire-tools.ts`).
 *
 * CS1 The socket belongs to Baton's user alone. This user may read and write Baton's data anyway.
 */
import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { platform } from "node:process";
import { z } from "zod";
import type { SetupRequests } from "../../begin/setup-requests.ts";
import type { StoredEvent } from "../../core/event.ts";
import { actorSchema } from "../../core/vocabulary.ts";
import type { Circuit } from "../../routing/circuit.ts";
import { listRunsSchema, type Runs } from "../../runner/runs.ts";
import type { Schedules } from "../../runner/schedules.ts";
import type { Sweeps } from "../../runner/sweeps.ts";
import { type Token, type TokenRequest, tokenRequestSchema } from "../api/tokens.ts";
import type { StartRequest } from "./start-run.ts";

/** Longer addresses of sockets are not possible: 108 bytes with the NUL in `sockaddr_un` (man 7 unix), 104 on macOS. */
const pathBytesMax = 103;

/** The socket is always in the data directory. In a folder of all users, another user could take its name. */
export function controlPath(dataDir: string): string {
  return join(dataDir, "control.sock");
}

/** The address of a socket, by way of its open folder where the path is too long. Systems other than Linux then have none. */
export function controlAddress(path: string): { address: string; release(): void } {
  if (Buffer.byteLength(path) <= pathBytesMax || platform !== "linux") return { address: path, release: () => {} };
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return { address: `/proc/self/fd/${folder}/${basename(path)}`, release: () => closeSync(folder) };
}

/** The operations on the data of a Baton. */
export interface Operator extends Pick<Runs, "list" | "read" | "cancel" | "erase" | "retry"> {
  /** The whole journal, its hash chain checked. */
  events(runId: string): Promise<StoredEvent[]>;
  /** A kept prompt or transcript of the run. null: it is not kept, or no longer. */
  blob(runId: string, id: string): Promise<string | null>;
  /** The result of a harness's last attempts. null: no failure is noted. */
  circuit(harness: string): Promise<Circuit | null>;
  schedules: Pick<Schedules, "list" | "run" | "pause" | "resume">;
  sweeps: Pick<Sweeps, "run" | "stats">;
  setups: Pick<SetupRequests, "ask" | "list">;
  tokens: {
    /** Needs a running App, which asks GitHub for the person. */
    create(request: TokenRequest): Promise<{ token: string; kept: Token }>;
    list(): Promise<Token[]>;
    revoke(word: string): Promise<Token>;
  };
  /** A link that signs a browser of this machine in. Needs a running App. */
  signIn(): Promise<string>;
  /** Begins a run in a thread, as `/baton run` does there. Returns its id. Needs a running App. */
  start(request: StartRequest): Promise<string>;
  /** Writes the embedded database into a new file that only its owner can read. Returns its size in bytes. */
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

const askSetupsSchema = z.strictObject({
  owner: text,
  repositories: z.array(text).max(200),
  perDay: z.number().int().min(1).max(500).nullable(),
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
  "setups.ask": operation(z.tuple([askSetupsSchema]), (to, [request]) => to.setups.ask(request)),
  "setups.list": operation(z.tuple([text]), (to, [owner]) => to.setups.list(owner)),
  "tokens.create": operation(z.tuple([tokenRequestSchema]), (to, [request]) => to.tokens.create(request)),
  "tokens.list": operation(z.tuple([]), (to) => to.tokens.list()),
  "tokens.revoke": operation(z.tuple([text]), (to, [word]) => to.tokens.revoke(word)),
  signIn: operation(z.tuple([]), (to) => to.signIn()),
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
    signIn: to("signIn"),
    backup: to("backup"),
    schedules: {
      list: to("schedules.list"),
      run: to("schedules.run"),
      pause: to("schedules.pause"),
      resume: to("schedules.resume"),
    },
    sweeps: { run: to("sweeps.run"), stats: (repository) => to("sweeps.stats")(repository ?? null) },
    tokens: { create: to("tokens.create"), list: to("tokens.list"), revoke: to("tokens.revoke") },
    setups: { ask: to("setups.ask"), list: to("setups.list") },
  };
}
