/**
 * Removes secrets from the system's view of this process: `/proc/<pid>/environ`. Every process of the same user may
 * read it while this process lives, including an agent's.
 *
 * Owns: this process's own environment. Does not own: files, and memory, which the system guards by other means.
 * FE1 Only values are blanked, in place. Names and all other variables stay unchanged.
 * FE2 Where blanking is impossible (no Linux, a system that forbids it), nothing changes, and the caller learns it.
 * FE3 Code that is not Baton's own may still read its variables. They move to memory that the system does not show.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Names whose values always count as secrets. */
const secretNames = /TOKEN|SECRET|PASSWORD|PRIVATE|API_?KEY|DATABASE_URL/i;

/**
 * True: the system shows no secret anymore. Callers must read their values before this call, unless `keep` is set
 * (FE3).
 */
export function forgetEnvironment(secrets: readonly string[], { keep = false }: { keep?: boolean } = {}): boolean {
  const isSecret = secretTest(secrets);
  const hidden = Object.entries(process.env).filter(([name, value = ""]) => isSecret(name, value));
  for (const [name] of hidden) delete process.env[name];
  try {
    blank(isSecret);
    return true;
  } catch {
    return false;
  } finally {
    // FE3: values set now are no longer where the system looks.
    if (keep) for (const [name, value] of hidden) process.env[name] = value;
  }
}

type IsSecret = (name: string, value: string) => boolean;

function secretTest(secrets: readonly string[]): IsSecret {
  const long = secrets.filter((secret) => secret.length >= 8);
  return (name, value) =>
    value !== "" &&
    // The name of a file is not a secret.
    ((secretNames.test(name) && !/_(?:FILE|PATH|URL_PATH)$/i.test(name)) ||
      long.some((secret) => value.includes(secret)));
}

export interface ShownSecrets {
  pid: number;
  /** As the system shows it, without arguments, because arguments may hold anything. */
  program: string;
  names: string[];
}

const ancestorsMax = 64;

/**
 * The processes that started this one and still show secrets: a shell, npm, a supervisor. Baton cannot change their
 * environment. Every process of the same user can still read it. Empty where the system does not show it.
 */
export function ancestorsThatShow(secrets: readonly string[]): ShownSecrets[] {
  const isSecret = secretTest(secrets);
  const found: ShownSecrets[] = [];
  let pid = process.ppid;
  for (let count = 0; pid > 0 && count < ancestorsMax; count += 1) {
    const names = namesShownBy(pid, isSecret);
    if (names.length > 0) found.push({ pid, program: read(`/proc/${pid}/comm`)?.trim() ?? "", names });
    pid = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
  }
  return found;
}

function namesShownBy(pid: number, isSecret: IsSecret): string[] {
  const entries = (read(`/proc/${pid}/environ`) ?? "").split("\0");
  const names = entries.flatMap((entry) => {
    const equals = entry.indexOf("=");
    // A process that blanked its values shows zeros, which end the text.
    const [name, value] = [entry.slice(0, equals), entry.slice(equals + 1)];
    return equals > 0 && isSecret(name, value) ? [name] : [];
  });
  return [...new Set(names)].sort();
}

/** Null: gone, or not readable. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/**
 * The kernel shows the memory where it put the variables at the start as `environ`. Deleting a variable leaves it
 * there.
 */
function blank(isSecret: (name: string, value: string) => boolean): void {
  const shown = readFileSync("/proc/self/environ");
  const start = startOf(readFileSync("/proc/self/stat", "latin1"));
  const memory = openSync("/proc/self/mem", "r+");
  try {
    let at = 0;
    while (at < shown.length) {
      const end = shown.indexOf(0, at) < 0 ? shown.length : shown.indexOf(0, at);
      const equals = shown.indexOf("=", at);
      if (equals > at && equals < end) {
        const name = shown.toString("utf8", at, equals);
        if (isSecret(name, shown.toString("utf8", equals + 1, end)))
          writeSync(memory, Buffer.alloc(end - equals - 1), 0, end - equals - 1, start + equals + 1);
      }
      at = end + 1;
    }
  } finally {
    closeSync(memory);
  }
}

/** `env_start`, field 50 of proc(5). The second field, the program's name, may hold anything. */
function startOf(stat: string): number {
  const start = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[47]);
  if (!Number.isSafeInteger(start) || start <= 0) throw new RangeError("The system does not say where it is.");
  return start;
}
