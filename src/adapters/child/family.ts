/**
 * Everything that one call started, and how it ends.
 *
 * FA1 Members are found by parent, process group, session, marker and open pipes. A member stays one after its parents
 *     ended.
 * FA2 An id that an unrelated process took over is never signaled. Members are known by id and start time.
 * Not found without a supervisor: a process that leaves parents, session, environment and pipes between two looks.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  hasVariable,
  openFiles,
  type ProcessRow,
  type ProcessTable,
  processRow,
  processTable,
  signalGroup,
  signalProcess,
} from "./process-table.ts";

/**
 * A killed process still needs a core to end on. On a busy machine that can take seconds. In kernel sleep it takes
 * forever.
 */
const killPatienceMs = 5_000;
const lookAgainMs = 20;

export interface FamilyOptions {
  /** The started process. It leads its own group and session. */
  root: number;
  /** `NAME=value` in the environment of the processes that did not clear it. */
  marker: string | null;
  /** The root only holds the others, as a supervisor or a sandbox does. The root ends after them. */
  isHolder: boolean;
  /**
   * The birth that the starter of the process saw. Without this, the family reads the process table right after the
   * start.
   */
  born?: Born | null;
}

export interface Born {
  startTicks: number;
  /** The outputs of the process, as `socket:[4711]`. */
  pipes: readonly string[];
}

export class Family {
  readonly #root: number;
  readonly #marker: string | null;
  readonly #isHolder: boolean;
  readonly #startTicks: number;
  /** Maps a process id to its start (FA2). */
  readonly #known = new Map<number, number>();
  /** The child's ends of its pipes. */
  readonly #pipes: ReadonlySet<string>;

  constructor({ root, marker, isHolder, born }: FamilyOptions) {
    this.#root = root;
    this.#marker = marker;
    this.#isHolder = isHolder;
    this.#startTicks = born?.startTicks ?? processRow(root)?.startTicks ?? 0;
    this.#known.set(root, this.#startTicks);
    this.#pipes = new Set((born?.pipes ?? openFiles(root, [1, 2])).filter((name) => /^(?:socket|pipe):/.test(name)));
  }

  look(): void {
    this.#members(processTable());
  }

  /**
   * Sends SIGTERM. A holder is spared while it holds a process, because the holder must report the end of that process.
   */
  terminate(): void {
    const others = this.#others(false);
    if (!this.#isHolder || others.length === 0) signalGroup(this.#root, "SIGTERM");
    for (const { pid, group } of others) if (this.#isHolder || group !== this.#root) signalProcess(pid, "SIGTERM");
  }

  /**
   * Returns when no member is left, or when the patience ends. `byPipes` includes processes that hold the child's pipes
   * open.
   */
  async kill(byPipes = false): Promise<void> {
    const until = performance.now() + killPatienceMs;
    for (;;) {
      if (!this.#isHolder) signalGroup(this.#root, "SIGKILL");
      const left = this.#others(byPipes);
      for (const { pid } of left) signalProcess(pid, "SIGKILL");
      if (left.length === 0 || performance.now() > until) break;
      await delay(lookAgainMs);
    }
    if (processRow(this.#root)?.startTicks === this.#startTicks) signalGroup(this.#root, "SIGKILL");
  }

  #others(byPipes: boolean): ProcessRow[] {
    const table = processTable();
    for (const row of table.values()) {
      if (row.startTicks < this.#startTicks || row.pid === process.pid || this.#isKnown(row)) continue;
      if (this.#isMarked(row.pid) || (byPipes && this.#holdsPipe(row.pid))) this.#known.set(row.pid, row.startTicks);
    }
    return this.#members(table).filter(({ pid, ended }) => pid !== this.#root && !ended);
  }

  #members(table: ProcessTable): ProcessRow[] {
    const children = Map.groupBy(table.values(), ({ parent }) => parent);
    const found = new Map<number, ProcessRow>();
    const queue = [...table.values()].filter(
      (row) => this.#isKnown(row) || this.#isLedByMember(table, row.group) || this.#isLedByMember(table, row.session),
    );
    for (let row = queue.pop(); row !== undefined; row = queue.pop()) {
      if (found.has(row.pid)) continue;
      found.set(row.pid, row);
      this.#known.set(row.pid, row.startTicks);
      queue.push(...(children.get(row.pid) ?? []));
    }
    return [...found.values()];
  }

  #isKnown({ pid, startTicks }: ProcessRow): boolean {
    return this.#known.get(pid) === startTicks;
  }

  /** A group or session keeps the id of its leader after the leader ended. */
  #isLedByMember(table: ProcessTable, leader: number): boolean {
    const running = table.get(leader);
    return running === undefined ? this.#known.has(leader) : this.#isKnown(running);
  }

  #isMarked(pid: number): boolean {
    return this.#marker !== null && hasVariable(pid, this.#marker);
  }

  #holdsPipe(pid: number): boolean {
    return this.#pipes.size > 0 && openFiles(pid).some((name) => this.#pipes.has(name));
  }
}
