/**
 * The machine's processes as Linux shows them in `/proc`. Empty on other systems. Owns reads and signals, not which
 * processes matter.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ProcessRow {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Clock ticks from boot to start. They tell two processes with the same id apart. */
  startTicks: number;
  /** The process ended, and its parent has not yet asked how. */
  ended: boolean;
}

export type ProcessTable = ReadonlyMap<number, ProcessRow>;

export function processIds(): number[] {
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** Null: no such process. */
export function processRow(pid: number): ProcessRow | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === null) return null;
  // The program's name is in parentheses and may hold anything.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const number = (field: number): number => Number(words[field - 3]);
  return {
    pid,
    parent: number(4),
    group: number(5),
    session: number(6),
    startTicks: number(22),
    ended: /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2)),
  };
}

export function processTable(): ProcessTable {
  const rows = processIds().flatMap((pid) => processRow(pid) ?? []);
  return new Map(rows.map((row) => [row.pid, row]));
}

/** The process's environment holds this variable. */
export function hasVariable(pid: number, variable: string): boolean {
  const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, "latin1"));
  return environment !== null && `\0${environment}\0`.includes(`\0${Buffer.from(variable).toString("latin1")}\0`);
}

/** Names of the open files behind these descriptors, for example `socket:[4711]`. */
export function openFiles(pid: number, descriptors?: readonly number[]): string[] {
  const names = descriptors ?? attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return names.flatMap((name) => attempt(() => readlinkSync(`/proc/${pid}/fd/${name}`)) ?? []);
}

/** False: the process ended meanwhile, or belongs to another user. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return attempt(() => process.kill(pid, signal)) ?? false;
}

export function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalProcess(-group, signal);
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // The process is gone or belongs to another user.
    return null;
  }
}
