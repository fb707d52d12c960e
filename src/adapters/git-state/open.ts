/** Opens the state of one thread in a repository's git as a store and a queue. */
import type { Clock, Random } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Database } from "../../ports/store.ts";
import { JobLoop } from "../memory/job-loop.ts";
import { TablesFeed } from "../memory/tables-feed.ts";
import { TablesStore } from "../memory/tables-store.ts";
import { GitState } from "./git-state.ts";
import { KeptRefs, type KeptRefsOptions } from "./kept-refs.ts";
import { findRefs } from "./refs.ts";
import { type RefUpdate, StateRemote } from "./remote.ts";

export interface GitDatabaseOptions {
  url: string;
  token(): Promise<string | null>;
  /** An empty or earlier scratch directory of our own. */
  scratchDir: string;
  /** `thread/7`: the part of the state that threads do not share. */
  home: string;
  durability: "write" | "barrier";
  clock: Clock;
  random: Random;
  log: Log;
  /** Only for reading. A host that accepts no such refs allows no writes. */
  readOnly?: boolean;
  /** Jobs that this process takes, by id. Without it, all. The others stay as they are. */
  takes?(id: string): boolean;
}

export interface GitDatabase extends Database {
  kind: "git";
  state: GitState;
  queue: JobLoop;
  /** The number of pushes of the state, including the first look and removals. */
  pushes(): number;
  /** The namespace that holds the state. */
  namespace: string;
  /** `thread/7` and all others that have a ref. */
  homes(): Promise<string[]>;
  /** Refs below a prefix, each as a removal of its present commit. */
  removals(prefix: string): Promise<RefUpdate[]>;
  /** Removes refs outside the state. True when the host did it. */
  remove(removals: readonly RefUpdate[]): Promise<boolean>;
  /** Commits of steps, kept next to the state. */
  kept(options: Pick<KeptRefsOptions, "key" | "onPush">): KeptRefs;
}

export async function openGitDatabase(options: GitDatabaseOptions): Promise<GitDatabase> {
  const { clock, random, log, home, url, token, scratchDir, durability } = options;
  const remote = new StateRemote({ gitDir: scratchDir, url, token });
  const refs = await findRefs({
    remote,
    home,
    log,
    now: clock.now(),
    readOnly: options.readOnly ?? false,
  });
  const state = await GitState.open({
    remote,
    refs,
    home,
    durability,
    clock,
    random,
    log,
    readOnly: options.readOnly ?? false,
    onNews: () => {
      queue.poke();
      feed.replaced();
    },
  });
  const feed = new TablesFeed(() => state.snapshot.tables);
  /** The feed shows every acknowledged change. Its place is fenced like the change itself (GS3). */
  const told = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    feed.replaced();
    return result;
  };
  // The next push includes the progress of a job. A job that is handed out twice does no harm (S4).
  const soon = (apply: Parameters<GitState["change"]>[0]): void => {
    state.change(apply, { when: "soon" }).catch(() => {});
  };
  const queue = new JobLoop({
    clock,
    log,
    source: {
      pending: () =>
        state.lost !== null
          ? []
          : [...state.snapshot.tables.jobs.values()].filter(
              (job) => job.state !== "active" && !state.isHeldBack(job.id) && options.takes?.(job.id) !== false,
            ),
      begin: (id) => soon(({ tables }) => tables.beginJob(id)),
      complete: (id) => soon(({ tables }) => tables.completeJob(id)),
      bringBack: (id, startAt) => soon(({ tables }) => tables.bringBackJob(id, startAt)),
    },
  });
  return {
    kind: "git",
    state,
    queue,
    feed,
    pushes: () => remote.pushes,
    namespace: refs.namespace,
    store: new TablesStore({
      tables: () => state.snapshot.tables,
      change: (apply, { jobs, isCause, waits, dropsPast }) =>
        told(
          dropsPast === true
            ? state.changeWithoutPast(({ tables }) => apply(tables))
            : state.change(({ tables }) => apply(tables), {
                ...(waits === true ? { when: "now" as const } : {}),
                jobs: jobs.map(({ id }) => id),
                isCause,
              }),
        ),
      putBlob: (content) => state.putBlob(content),
      blob: (id) => state.blob(id),
      now: () => clock.now(),
    }),
    async homes() {
      const found = await remote.below(`${refs.namespace}thread/`);
      return [...found.keys()].map((ref) => ref.slice(refs.namespace.length));
    },
    async removals(prefix) {
      return [...(await remote.below(prefix))].map(([ref, expected]) => ({ ref, expected, sha: null }));
    },
    async remove(removals) {
      return removals.length === 0 || (await remote.push(removals)).kind === "done";
    },
    kept: (given) =>
      new KeptRefs({
        remote: new StateRemote({ gitDir: `${scratchDir}.kept`, url, token }),
        namespace: refs.namespace,
        clock,
        ...given,
      }),
    async ping() {
      await remote.heads([refs.shared]);
    },
    async close() {
      await queue.stop(0);
      if (state.lost === null) await state.flush();
    },
  };
}
