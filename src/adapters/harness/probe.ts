/**
 * A CLI's own report: whether it exists and works, its version, and whether a key is set. Never the key.
 *
 * Baton starts it as for an attempt: with the environment by list (harness.H2) and a home of its own. Nothing of it
 * remains (harness.H3).
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { ErrorData } from "../../core/errors.ts";
import type { FollowEnd } from "../../ports/child.ts";
import type { HarnessProbe } from "../../ports/harness.ts";
import { children } from "../child/children.ts";
import { agentEnvironment } from "../system/agent-environment.ts";

const probeTimeoutMs = 20_000;
const lineCharactersMax = 200;

export interface ProbeOptions {
  /** The program. If `env` starts it, the program follows `env` and its variables. */
  command: readonly string[];
  install: string;
  authenticated: boolean;
  /** The next step for a person when no key is set. */
  authenticate: string;
  /** Further needs of the machine. */
  check?: ((env: Record<string, string>) => Promise<ErrorData | null>) | undefined;
  timeoutMs?: number;
}

export async function probeCli(options: ProbeOptions): Promise<HarnessProbe> {
  const { command, install, authenticated, authenticate } = options;
  const homePath = await mkdtemp(join(tmpdir(), "baton-probe-"));
  const marker = `probe/${randomUUID()}`;
  const env = agentEnvironment({ homePath, attemptMarker: marker, variables: {} }, {});
  const timeoutMs = options.timeoutMs ?? probeTimeoutMs;
  const lines: string[] = [];
  try {
    const end = await children.follow({
      command: [...command, "--version"],
      cwd: homePath,
      env,
      input: null,
      timeoutMs,
      silenceMs: timeoutMs,
      marker,
      onLine: (line) => lines.push(line),
    });
    if (end.missing) return { installed: false, version: null, authenticated, advice: `\`${install}\`` };
    const broken = (why: string): HarnessProbe => ({
      installed: false,
      broken: true,
      version: null,
      authenticated,
      advice: why,
    });
    if (end.exitCode !== 0 || end.timedOut)
      return broken(
        `\`${command.join(" ")} --version\` ${endedHow(end, timeoutMs, lines)} To install it again: \`${install}\``,
      );
    const problem = (await options.check?.(env)) ?? null;
    if (problem !== null) return { ...broken(problem.message), version: versionIn(lines) };
    return { installed: true, version: versionIn(lines), authenticated, advice: authenticated ? null : authenticate };
  } finally {
    await rm(homePath, { recursive: true, force: true, maxRetries: 3 });
  }
}

function endedHow(end: FollowEnd, timeoutMs: number, lines: readonly string[]): string {
  if (end.timedOut || end.silent) return `did not end within ${timeoutMs / 1_000} s.`;
  const how = end.signal === null ? `ended with exit code ${end.exitCode ?? "unknown"}` : `was ended by ${end.signal}`;
  const last = lines.map(plain).findLast((line) => line !== "");
  return last === undefined ? `${how} and said nothing.` : `${how}: ${last}${/[.!?]$/.test(last) ? "" : "."}`;
}

/** Some CLIs print more than their version, before or after it. */
function versionIn(lines: readonly string[]): string | null {
  const said = lines.map(plain).filter((line) => line !== "");
  const number = said
    .map((line) => /\d+\.\d+(?:\.\d+)*(?:-[\w.]*\w)?/.exec(line)?.[0])
    .find((one) => one !== undefined);
  return number ?? said[0] ?? null;
}

const plain = (line: string): string => stripVTControlCharacters(line).trim().slice(0, lineCharactersMax);
