/** The processes of a PID namespace, seen from outside. All descend from its first process. */
import { readdir, readFile } from "node:fs/promises";

export interface ProcessEntry {
  pid: number;
  parent: number;
  threads: number;
  /** Pages in memory. */
  pages: number;
  /** Distinguishes it from a later process with the same number. */
  startTime: string;
  ended: boolean;
  stopped: boolean;
}

export async function readProcess(pid: number): Promise<ProcessEntry | null> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  // The name may contain spaces and parentheses. The fields after the last parenthesis are numbers.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 22) return null;
  const [state = "", parent = ""] = fields;
  return {
    pid,
    parent: Number(parent),
    threads: Number(fields[17]),
    startTime: fields[19] ?? "",
    pages: Number(fields[21]),
    ended: state === "Z" || state === "X",
    stopped: state === "T" || state === "t",
  };
}

/** The process and all its descendants. Empty when it has ended. */
export async function readDescendants(root: number): Promise<ProcessEntry[]> {
  const names = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const children = new Map<number, ProcessEntry[]>();
  let first: ProcessEntry | null = null;
  for (const entry of await Promise.all(names.map(async (name) => await readProcess(Number(name))))) {
    if (entry === null) continue;
    if (entry.pid === root) first = entry;
    const siblings = children.get(entry.parent);
    if (siblings === undefined) children.set(entry.parent, [entry]);
    else siblings.push(entry);
  }
  const found: ProcessEntry[] = first === null ? [] : [first];
  for (const entry of found) found.push(...(children.get(entry.pid) ?? []));
  return found;
}
