/**
 * Every durable write of a Baton by its name, with a hook before it begins and after it is durable.
 *
 * Owns: the list of durable writes, and their names. Does not own: the effect of a hook (`crash-child.ts`).
 * The wrappers are at the adapters' own methods, from outside, so the real code runs.
 */
import { tmpdir } from "node:os";
import { PGlite } from "@electric-sql/pglite";
import { SqlStore } from "../../src/adapters/database/sql-store.ts";
import { Requester } from "../../src/adapters/github/request.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { createWorkspaces } from "../../src/adapters/workspace/workspaces.ts";
import type { RunEvent } from "../../src/core/event.ts";
import type { AppendRequest, NewJob, TransactionWrites } from "../../src/ports/store.ts";

export type Moment = "before" | "after";
export type SiteHook = (site: string, moment: Moment, events: readonly RunEvent[]) => void;
type Method = (...args: unknown[]) => Promise<unknown>;

/** Sites on every happy path. A crash test visits each of them before and after. */
export const happyPathSites = [
  "delivery: insert",
  "delivery: finish",
  "job: complete",
  "journal: run.created",
  "journal: effect.requested",
  "journal: effect.started",
  "journal: effect.started, reserve",
  "journal: effect.prompted",
  "journal: effect.metered",
  "journal: effect.observed",
  "journal: effect.observed, effect.succeeded, next",
  "journal: effect.succeeded, next",
  "journal: effect.succeeded, next, settle",
  "journal: effect.succeeded, run.completed",
  "index: the run waits",
  "index: the run is over",
  "outbox: put",
  "outbox: done",
  "outbox: delay",
  "lease: acquire outbox",
  "lease: acquire run",
  "lease: release run",
  "git: fetch",
  "git: create workspace",
  "git: import",
  "git: remove workspace",
  "git: push",
  "github: reaction",
  "github: create comment",
  "github: edit comment",
  "github: create check run",
  "github: update check run",
  "github: pull request",
  "github: review request",
  "github: merge",
] as const;

export function instrument(hook: SiteHook): void {
  const wrap = (prototype: object, method: string, nameOf: (...args: never[]) => string | null): void => {
    const target = prototype as Record<string, Method>;
    const original = target[method] as Method;
    target[method] = async function (this: unknown, ...args: unknown[]) {
      const site = nameOf(...(args as never[]));
      if (site === null) return original.apply(this, args);
      const events = method === "append" ? (args[0] as AppendRequest).events : [];
      hook(site, "before", events);
      const result = await original.apply(this, args);
      hook(site, "after", events);
      return result;
    };
  };
  const store = SqlStore.prototype;
  wrap(store, "append", appendSite);
  wrap(store, "write", writeSite);
  wrap(store, "insertDelivery", () => "delivery: insert");
  wrap(store, "finishDelivery", () => "delivery: finish");
  wrap(store, "outboxDone", () => "outbox: done");
  wrap(store, "outboxDelay", () => "outbox: delay");
  wrap(store, "outboxRetry", () => "outbox: retry");
  wrap(store, "outboxFailed", () => "outbox: failed");
  wrap(store, "acquireLease", (name: string) => `lease: acquire ${leaseKind(name)}`);
  wrap(store, "renewLease", (lease: { name: string }) => `lease: renew ${leaseKind(lease.name)}`);
  wrap(store, "releaseLease", (lease: { name: string }) => `lease: release ${leaseKind(lease.name)}`);
  wrap(store, "putBlob", () => "blob: put");
  wrap(store, "setValue", () => "value: set");
  const workspaces = Object.getPrototypeOf(createWorkspaces({ rootDir: tmpdir(), log: silentLog })) as object;
  wrap(workspaces, "fetch", () => "git: fetch");
  wrap(workspaces, "create", () => "git: create workspace");
  wrap(workspaces, "import", () => "git: import");
  wrap(workspaces, "remove", () => "git: remove workspace");
  wrap(workspaces, "push", () => "git: push");
  wrap(Requester.prototype, "write", requestSite);
  // The worker's own record that a job is done. pg-boss writes it after the handler has returned.
  wrap(PGlite.prototype, "query", (text: string) =>
    /SET\s+completed_on = now\(\),\s+state = 'completed'/i.test(text) ? "job: complete" : null,
  );
}

/** `next`: the turn that follows from an outcome shares its append, with the starts that wait for nothing. */
function appendSite({ events, also }: AppendRequest): string {
  const all = new Set(events.map(({ type }) => type));
  const isTurn = all.has("effect.succeeded") && all.has("effect.requested");
  const turn = isTurn ? ["effect.requested", "effect.started"] : [];
  // They join whatever else is appended.
  const aside = ["policy.decided", ...(all.size > 1 ? ["effect.progress"] : []), ...turn];
  const types = [...[...all].filter((type) => !aside.includes(type)), ...(isTurn ? ["next"] : [])];
  const money = events.some((event) => event.type === "effect.started" && event.reservedUsd > 0)
    ? ["reserve"]
    : (also?.ledger ?? []).length > 0
      ? ["settle"]
      : [];
  return `journal: ${[...types, ...money].join(", ")}`;
}

function writeSite({ run, thread, outbox = [], jobs = [] }: TransactionWrites): string | null {
  if (thread !== undefined) return "index: the run is over";
  if (run !== undefined) return "index: the run waits";
  if (outbox.length > 0) return "outbox: put";
  return jobs.length > 0 ? `job: put ${(jobs[0] as NewJob).queue}` : null;
}

function leaseKind(name: string): string {
  return name.startsWith("run:") ? "run" : name;
}

const requests: [RegExp, string | null][] = [
  [/access_tokens$/, null],
  [/^POST .*\/reactions$/, "reaction"],
  [/^POST .*\/comments$/, "create comment"],
  [/^PATCH .*\/comments\//, "edit comment"],
  [/^POST .*\/check-runs$/, "create check run"],
  [/^PATCH .*\/check-runs\//, "update check run"],
  [/^POST .*\/requested_reviewers$/, "review request"],
  [/^POST .*\/pulls$/, "pull request"],
  [/^PATCH .*\/pulls\//, "update pull request"],
  [/^PUT .*\/merge$/, "merge"],
];

function requestSite(route: string): string | null {
  const found = requests.find(([pattern]) => pattern.test(route));
  if (found === undefined) return `github: ${route}`;
  return found[1] === null ? null : `github: ${found[1]}`;
}
