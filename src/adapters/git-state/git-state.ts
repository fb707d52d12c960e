/**
 * Durable state in the repository's own git: the rules of `memory/tables.ts`, kept in refs, pushed by compare-and-swap.
 *
 * Owns: which writes wait together, when Baton pushes them, what follows a lost push race, and the driver.
 * Does not own: plumbing (`remote.ts`), the files (`files.ts`), the rules (`memory/tables.ts`).
 *
 * GS1 A write is applied here. When a push finds moved refs, Baton applies the write again to the newer state. The refs
 *     contain a write completely or not at all: one commit per ref, all refs in one atomic push.
 * GS2 With `durability: "write"` a write is acknowledged once the refs contain it. With `"barrier"` it is acknowledged
 *     at once. Then `barrier()` must resolve before Baton touches anything outside, so the refs contain all that others
 *     saw. The barrier waits for journals and inboxes only. Everything else follows from them. If it is lost, an
 *     *ensure* finds the existing result. A step therefore needs only two or three pushes.
 * GS3 Baton may apply an acknowledged write again and get another answer. Then another process took over: the state is
 *     lost (BATON_LEASE_LOST) and this process writes nothing more.
 * GS4 One driver per thread, fenced by an epoch in the ref itself. Others only add to the inbox.
 * GS5 A ref below its mark (`marks.ts`) stops every writer: BATON_STATE_ROLLED_BACK. A person's word in a ref overrides
 *     this.
 */
import { isDeepStrictEqual } from "node:util";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Retention, Tables } from "../memory/tables.ts";
import { sha256 } from "../system/sha256.ts";
import {
  blobContent,
  blobFile,
  type Driver,
  decode,
  encode,
  type IndexRow,
  indexPath,
  indexRows,
  isBlob,
  marksPath,
  type Place,
  positionPath,
  positionText,
  type Snapshot,
} from "./files.ts";
import { judgePosition, type RefPosition } from "./marks.ts";
import type { StateRefs } from "./refs.ts";
import type { NewCommit, PushOutcome, RefUpdate, StateRemote } from "./remote.ts";

export interface GitStateOptions {
  remote: StateRemote;
  refs: StateRefs;
  /** `thread/7`. */
  home: string;
  durability: "write" | "barrier";
  clock: Clock;
  random: Random;
  log: Log;
  /** Only reads. May read state that was set back. */
  readOnly: boolean;
  /** The state changed from outside, or jobs became available. */
  onNews(): void;
}

interface Operation {
  apply(snapshot: Snapshot): unknown;
  result: unknown;
  error: unknown;
  state: "open" | "acknowledged" | "kept" | "refused";
  jobs: readonly string[];
  isCause: boolean;
}

type Files = Map<string, string | { oid: string } | null>;

const triesMax = 40;
const failuresMax = 5;
const pauseMs = 50;
const pauseMsMax = 3_000;
const calmMs = 25;
const calmLooksMax = 8;
/** Hosts answer from copies that may lag behind. Only a ref that stays behind was set back. */
const secondLooks = 2;
const secondLookMs = 500;

export class GitState {
  readonly #options: GitStateOptions;
  #snapshot: Snapshot;
  #heads = new Map<Place, string>();
  /** Contents by object name, so that a reload reads only changed files. */
  #known = new Map<string, string>();
  #pending: Operation[] = [];
  readonly #newBlobs = new Map<string, string>();
  #tail: Promise<unknown> = Promise.resolve();
  #held: Driver | null = null;
  #lost: BatonError | null = null;
  /** Sent with the next push. */
  #removals: readonly RefUpdate[] = [];
  /** Position of the home ref when this process last pushed or read it. */
  #seen: RefPosition = { position: 0, sha: null };
  /** A person's word that the home ref was set back or removed on purpose. */
  #accepted: string | null = null;
  /** Refs are pushed without their past. */
  #squashes = false;
  /** Nothing is left of the thread, so its ref is removed. */
  #forgets = false;
  /** The host refuses a change that removes something from a ref. The ref only grows. */
  #onlyGrows = false;
  /** Jobs of writes that are not acknowledged yet. They are not handed out. */
  readonly #heldBack = new Set<string>();
  /** The index as the refs have it. */
  #shownIndex: readonly IndexRow[] = [];

  private constructor(options: GitStateOptions) {
    this.#options = options;
    this.#snapshot = decode(options.home, new Map(), new Map());
  }

  static async open(options: GitStateOptions): Promise<GitState> {
    const state = new GitState(options);
    await state.#reload();
    return state;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get lost(): BatonError | null {
    return this.#lost;
  }

  isHeldBack(jobId: string): boolean {
    return this.#heldBack.has(jobId);
  }

  /** `soon`: acknowledged at once and pushed with the next flush. `now`: the refs contain it when it resolves. */
  async change<T>(
    apply: (snapshot: Snapshot) => T,
    { when, jobs = [], isCause = false }: { when?: "now" | "soon"; jobs?: readonly string[]; isCause?: boolean } = {},
  ): Promise<T> {
    if (this.#lost !== null) throw this.#lost;
    const waits = (when ?? (this.#options.durability === "write" ? "now" : "soon")) === "now";
    const before = this.#snapshot.changes;
    const result = apply(this.#snapshot);
    // "No" is an answer, too. A caller that waits gets the answer after all earlier writes are kept.
    if (!waits && this.#snapshot.changes === before) return result;
    const operation: Operation = { apply, result, error: null, state: waits ? "open" : "acknowledged", jobs, isCause };
    this.#pending.push(operation);
    if (waits) {
      for (const job of jobs) this.#heldBack.add(job);
      await this.flush();
    }
    if (operation.state === "refused") throw operation.error;
    if (jobs.length > 0) this.#options.onNews();
    return operation.result as T;
  }

  /** When it resolves, the refs contain every write made before the call. */
  flush(): Promise<void> {
    return this.#serially(() => this.#push());
  }

  /** Before anything outside is touched (GS2). The refs contain earlier writes, and this process still drives. */
  async barrier(): Promise<void> {
    if (this.#held !== null && this.#options.clock.now() >= this.#held.expiresAt)
      throw this.#lose("The lease of this thread ran out before it was renewed.");
    if (this.#lost !== null) throw this.#lost;
    const causes = this.#pending.filter(({ isCause }) => isCause);
    if (causes.length === 0) return;
    await this.#calm();
    // A push already on its way may include these writes. Then Baton only waits for its end.
    await this.#serially(async () => {
      if (this.#lost !== null) throw this.#lost;
      if (causes.some((cause) => this.#pending.includes(cause))) await this.#push();
    });
  }

  /** Writes come in groups, and several callers reach outside at once. One push includes all simultaneous writes. */
  async #calm(): Promise<void> {
    const { clock } = this.#options;
    for (let looks = 0, before = -1; looks < calmLooksMax && this.#snapshot.changes !== before; looks += 1) {
      before = this.#snapshot.changes;
      await clock.sleepUntil(clock.now() + calmMs);
    }
  }

  /** Whether others can find this thread's runs by everything that the runs wait for now. */
  get showsWatches(): boolean {
    const shown = new Map(this.#shownIndex.map((row) => [row.runId, row]));
    return [...this.#snapshot.index.values()]
      .filter(({ home, runId }) => home === this.#options.home && runId !== null)
      .every(({ runId, watches }) => isDeepStrictEqual(shown.get(runId)?.watches, watches));
  }

  /** Reads the writes of others. True when there were some. */
  refresh(): Promise<boolean> {
    return this.#serially(async () => {
      if (this.#lost !== null) throw this.#lost;
      const { remote, refs } = this.#options;
      const heads = await remote.heads([refs.home, refs.shared]);
      if (heads.get(refs.home) === this.#heads.get("home") && heads.get(refs.shared) === this.#heads.get("shared"))
        return false;
      await this.#reload();
      this.#options.onNews();
      return true;
    });
  }

  // driver

  /** Gets the thread if nobody drives it. `deadOwner` is a driver that is known to be gone. */
  async takeDriver(request: {
    owner: string;
    job: string | null;
    ttlMs: number;
    deadOwner?: string;
  }): Promise<Driver | null> {
    const { owner, job, ttlMs, deadOwner } = request;
    const now = this.#options.clock.now();
    const taken = await this.change(
      (snapshot) => {
        const held = snapshot.driver;
        if (held !== null && isHeld(held, now) && held.owner !== deadOwner) return null;
        const driver = { owner, epoch: (held?.epoch ?? 0) + 1, expiresAt: now + ttlMs, job };
        snapshot.setDriver(driver);
        snapshot.indexAgain();
        snapshot.tables.abandonJobs();
        return driver;
      },
      { when: "now" },
    );
    this.#held = taken;
    if (taken !== null) this.#options.onNews();
    return taken;
  }

  async renewDriver(ttlMs: number): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    const renewed = { ...held, expiresAt: this.#options.clock.now() + ttlMs };
    await this.change((snapshot) => snapshot.setDriver(renewed), { when: "now" });
    if (this.#held === held) this.#held = renewed;
  }

  /**
   * Frees the thread unless `stays` finds a reason to continue in the newest state. A later event finds the thread
   * free. The first try includes `removals` of other refs. If it fails, they are lost, which does no harm.
   */
  async releaseDriver(stays: (snapshot: Snapshot) => boolean, removals: readonly RefUpdate[] = []): Promise<boolean> {
    const held = this.#held;
    if (held === null) return true;
    this.#removals = removals;
    const released = await this.change(
      (snapshot) => {
        if (stays(snapshot)) return false;
        snapshot.setDriver({ ...held, owner: "", expiresAt: -1, job: null });
        snapshot.markAgain();
        return true;
      },
      { when: "now" },
    );
    if (released) this.#held = null;
    return released;
  }

  // retention

  /**
   * Like `change`, in one push. The refs restart without their past, so their history no longer has the earlier
   * content.
   */
  async changeWithoutPast<T>(apply: (snapshot: Snapshot) => T): Promise<T> {
    this.#squashes = true;
    try {
      return await this.change(apply, { when: "now" });
    } finally {
      this.#squashes = false;
    }
  }

  /**
   * Applies a retention to a thread that nobody drives, in one push. The thread's ref and the shared one restart
   * without their past, so that the host can delete unreferenced objects. A thread of which nothing is left loses its
   * ref. A host may refuse that (branches protected against force pushes and deletion). Then the same files become one
   * more commit. A job fetches equally little, and the past stays in the ref's history.
   * Null: somebody drives the thread, or nothing was due.
   */
  async retain(retention: Retention): Promise<ReturnType<Tables["retain"]> | null> {
    this.#squashes = true;
    try {
      return await this.change(
        (snapshot) => {
          if (snapshot.driver !== null && isHeld(snapshot.driver, retention.now)) return null;
          const { tables } = snapshot;
          if ([...tables.deliveries.values()].some(({ state }) => state === "received")) return null;
          const done = tables.retain(retention);
          this.#forgets = snapshot.isForgettable(retention.forgetBefore);
          if (this.#forgets) this.#forget(snapshot);
          // Indexes threads that an earlier version left without an index.
          else snapshot.indexAgain();
          if (done.compacted.length + done.forgotten.length === 0) return this.#forgets ? done : null;
          snapshot.dropBlobs();
          return done;
        },
        { when: "now" },
      );
    } finally {
      this.#squashes = false;
      this.#forgets = false;
    }
  }

  #forget(snapshot: Snapshot): void {
    snapshot.forget();
    if (this.#onlyGrows) snapshot.keepForgotten();
  }

  // blobs

  async putBlob(content: string): Promise<string> {
    const id = sha256(content);
    const { path } = blobFile(id, content);
    await this.change((snapshot) => {
      if (snapshot.blobs.has(id)) return;
      this.#newBlobs.set(path, content);
      snapshot.blobs.set(id, path);
      snapshot.touch(path, "home");
    });
    return id;
  }

  async blob(id: string): Promise<string | null> {
    const path = this.#snapshot.blobs.get(id);
    if (path === undefined) return null;
    const fresh = this.#newBlobs.get(path);
    if (fresh !== undefined) return fresh;
    const head = this.#heads.get("home");
    const oid = head === undefined ? undefined : (await this.#options.remote.tree(head)).get(path);
    return oid === undefined ? null : blobContent(path, await this.#options.remote.object(oid));
  }

  // pushing

  #serially<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(body, body);
    this.#tail = mine.catch(() => {});
    return mine;
  }

  async #push(): Promise<void> {
    for (let tries = 0, failures = 0; this.#pending.length > 0; tries += 1) {
      if (this.#lost !== null) throw this.#lost;
      const batch = [...this.#pending];
      const dirty = this.#snapshot.takeDirty();
      const takesAway = this.#squashes || this.#removals.length > 0 || this.#accepted !== null;
      const outcome: PushOutcome = dirty.size === 0 ? { kind: "done" } : await this.#pushOnce(dirty);
      if (outcome.kind === "done") {
        this.#pending = this.#pending.filter((operation) => !batch.includes(operation));
        for (const operation of batch) this.#settle(operation, "kept");
        return;
      }
      if (outcome.kind === "moved") {
        if (tries >= triesMax)
          throw new BatonError("BATON_GIT_FAILED", `${this.#options.refs.home} moved ${tries} times in a row.`);
        await this.#pause(tries);
        await this.#reload();
        // This reload brought the writes of others. No later look will report them as new.
        this.#options.onNews();
        continue;
      }
      // The remote may or may not have the write, so Baton keeps it. The caller gets an error, and the next push
      // retries.
      this.#snapshot.restoreDirty(dirty);
      if (outcome.kind === "refused" && takesAway && !this.#onlyGrows) {
        this.#onlyGrows = true;
        if (this.#forgets) this.#forget(this.#snapshot);
        this.#options.log.debug("The host lets nothing be taken away from these refs", { refusal: outcome.message });
        continue;
      }
      failures += 1;
      if (outcome.kind === "refused" || failures >= failuresMax)
        throw new BatonError("BATON_GIT_FAILED", `The state could not be pushed: ${outcome.message}`);
      await this.#pause(failures + 2);
    }
  }

  async #pushOnce(dirty: ReadonlyMap<string, Place>): Promise<PushOutcome> {
    const { remote, refs, clock, home } = this.#options;
    const now = clock.now();
    type Part = { place: Place; expected: string | null; commit: (Omit<NewCommit, "files"> & { files: Files }) | null };
    const parts: Part[] = [];
    for (const place of ["home", "shared"] as const) {
      const paths = [...dirty].filter(([, at]) => at === place).map(([path]) => path);
      if (paths.length === 0) continue;
      const expected = this.#heads.get(place) ?? null;
      const squashes = this.#squashes && !this.#onlyGrows;
      const past = squashes && expected !== null ? await remote.tree(expected) : null;
      // One synchronous stretch, so that all files of a commit show the same moment.
      const files: Files = new Map(paths.map((path) => [path, this.#content(path)]));
      if (place === "home") files.set(positionPath, positionText(this.#snapshot.position + 1));
      if (past !== null) {
        for (const [path, oid] of past) if (!files.has(path)) files.set(path, { oid });
        for (const [path, content] of files) if (content === null) files.delete(path);
      }
      if (past !== null && place === "home" && this.#forgets) {
        parts.push({ place, expected, commit: null });
        continue;
      }
      const message = `${home}: ${past === null ? "" : "compacted, "}${paths.map((path) => path.replace(/\.jsonl?$/, "")).join(", ")}\n\nBaton-Driver: ${
        this.#held === null ? "none" : `${this.#held.owner} ${this.#held.epoch}`
      }\n`;
      parts.push({
        place,
        expected,
        commit: { parent: past === null ? expected : null, message, at: now, files },
      });
    }
    const homeAt = ([home = null]: readonly (string | null)[]): RefPosition => {
      const [first] = parts;
      if (first?.place !== "home") return this.#seen;
      return first.commit === null ? { position: 0, sha: null } : { position: this.#snapshot.position + 1, sha: home };
    };
    // The home ref's commit comes first, because the mark in the shared ref names it.
    const made = await remote.commit(
      parts.flatMap(({ place, commit }): NewCommit[] => {
        if (commit === null) return [];
        if (place === "home") return [commit];
        return [{ ...commit, files: (before) => commit.files.set(marksPath, this.#marksAt(homeAt(before))) }];
      }),
    );
    const at = homeAt(made);
    const updates: RefUpdate[] = parts.map(({ place, expected, commit }) => ({
      ref: refs[place],
      expected,
      sha: commit === null ? null : (made.shift() ?? null),
    }));
    const heads = updates.map(({ sha }) => sha);
    if (!this.#onlyGrows) updates.push(...this.#removals);
    this.#removals = [];
    if (this.#accepted !== null && !this.#onlyGrows)
      updates.push({ ref: refs.accepted, expected: this.#accepted, sha: null });
    const outcome = await remote.push(updates);
    if (outcome.kind === "done") {
      this.#seen = at;
      this.#snapshot.position = at.position;
      this.#accepted = null;
      const index = parts.find(({ place }) => place === "shared")?.commit?.files.get(indexPath);
      if (typeof index === "string") this.#shownIndex = indexRows(index);
      for (const [index, { place }] of parts.entries()) {
        const head = heads[index] ?? null;
        if (head === null) this.#heads.delete(place);
        else this.#heads.set(place, head);
      }
      for (const path of dirty.keys()) this.#newBlobs.delete(path);
    }
    return outcome;
  }

  /** The file of marks with our own current mark. Each push to the shared ref includes it (HM1). */
  #marksAt({ position, sha }: RefPosition): string | null {
    const { home } = this.#options;
    const { marks } = this.#snapshot;
    if (sha === null) marks.delete(home);
    else marks.set(home, { home, position, sha });
    return encode(this.#snapshot, marksPath);
  }

  #content(path: string): string | null {
    if (!isBlob(path)) return encode(this.#snapshot, path);
    const content = this.#newBlobs.get(path);
    return content === undefined ? null : path.endsWith(".json") ? JSON.stringify(content) : content;
  }

  /** Reads the refs and applies the writes that they do not have yet (GS1, GS3). */
  async #reload(looks = 0): Promise<void> {
    const { remote, refs, home } = this.#options;
    const present = await remote.heads([refs.home, refs.shared]);
    const fetched = await remote.fetch([...present.keys()]);
    const files = { home: new Map<string, string>(), shared: new Map<string, string>() };
    const heads = new Map<Place, string>();
    for (const place of ["home", "shared"] as const) {
      const head = fetched.get(refs[place]);
      if (head === undefined) continue;
      heads.set(place, head);
      await this.#readFiles(head, files[place]);
    }
    const next = decode(home, files.home, files.shared, refs);
    if (!(await this.#isWhole({ position: next.position, sha: heads.get("home") ?? null }, next, looks)))
      return this.#reload(looks + 1);
    if (this.#held !== null && (next.driver?.epoch !== this.#held.epoch || next.driver.owner !== this.#held.owner))
      throw this.#lose(`${next.driver?.owner ?? "Nobody"} drives ${home} now.`);
    // From here to the end no other code can run in between.
    this.#heads = heads;
    this.#seen = { position: next.position, sha: heads.get("home") ?? null };
    this.#shownIndex = [...next.index.values()];
    for (const operation of this.#pending) this.#applyAgain(operation, next);
    this.#pending = this.#pending.filter(({ state }) => state !== "refused");
    this.#snapshot = next;
  }

  /** GS5. False: look again. */
  async #isWhole(found: RefPosition, next: Snapshot, looks: number): Promise<boolean> {
    const { remote, refs, home, clock, readOnly, log } = this.#options;
    if (readOnly) return true;
    const mark = next.marks.get(home);
    // Nobody else may remove a thread that we drive. The position that we saw ourselves therefore counts, too.
    const seen = this.#held !== null && this.#seen.position > (mark?.position ?? 0) ? this.#seen : mark;
    let verdict = judgePosition(found, seen);
    if (verdict === "unclear" && seen?.sha != null)
      verdict = (await remote.descends(refs.home, seen.sha)) ? "fine" : "older";
    if (verdict === "fine") return true;
    const accepted = (await remote.heads([refs.accepted])).get(refs.accepted);
    if (accepted !== undefined && (verdict === "gone" || accepted === found.sha)) {
      log.warn("A person accepts that this ref was set back or removed", { ref: refs.home, accepted });
      this.#accepted = accepted;
      next.markAgain();
      return true;
    }
    if (looks < secondLooks) {
      await clock.sleepUntil(clock.now() + secondLookMs);
      return false;
    }
    const was = `Baton has seen it at ${seen?.sha ?? ""}, which counts ${seen?.position ?? 0}`;
    this.#lost ??= new BatonError(
      "BATON_STATE_ROLLED_BACK",
      verdict === "gone"
        ? `${refs.home} is gone. ${was}.`
        : `${refs.home} is at ${found.sha}, which counts ${found.position}. ${was}.`,
      { details: { ref: refs.home, seen: seen?.sha ?? "", accept: refs.accepted } },
    );
    throw this.#lost;
  }

  #applyAgain(operation: Operation, next: Snapshot): void {
    const acknowledged = operation.state === "acknowledged";
    try {
      const result = operation.apply(next);
      if (acknowledged && !isDeepStrictEqual(result, operation.result))
        throw this.#lose(`Somebody else wrote to ${this.#options.home} meanwhile.`);
      operation.result = result;
    } catch (thrown) {
      if (acknowledged || this.#lost !== null)
        throw this.#lose(`Somebody else wrote to ${this.#options.home} meanwhile.`);
      operation.error = thrown;
      this.#settle(operation, "refused");
    }
  }

  #settle(operation: Operation, state: "kept" | "refused"): void {
    operation.state = state;
    for (const job of operation.jobs) this.#heldBack.delete(job);
  }

  async #readFiles(head: string, into: Map<string, string>): Promise<void> {
    const tree = await this.#options.remote.tree(head);
    const wanted = [...tree].filter(([path]) => !isBlob(path));
    const missing = wanted.map(([, oid]) => oid).filter((oid) => !this.#known.has(oid));
    for (const [oid, content] of await this.#options.remote.objects(missing)) this.#known.set(oid, content);
    for (const [path, oid] of tree) into.set(path, isBlob(path) ? "" : (this.#known.get(oid) ?? ""));
  }

  async #pause(tries: number): Promise<void> {
    const { clock, random } = this.#options;
    const longest = Math.min(pauseMsMax, pauseMs * 2 ** Math.min(tries, 10));
    await clock.sleepUntil(clock.now() + Math.ceil(longest * random.fraction()));
  }

  #lose(why: string): BatonError {
    this.#lost ??= new BatonError("BATON_LEASE_LOST", why);
    return this.#lost;
  }
}

/** An expiry beyond the longest lease cannot come from Baton. Such a lease holds nothing. */
function isHeld({ expiresAt }: { expiresAt: number }, now: number): boolean {
  return expiresAt > now && expiresAt <= now + limits.driverLeaseMs + limits.leaseSlackMs;
}
