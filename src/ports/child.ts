/**
 * The one way in which Baton starts a program: agents, shell steps, repository commands, git, mounts, probes.
 *
 * CP1 Nothing is inherited: the environment is a list, the working directory is named, no shell is involved.
 * CP2 Input is an open file, so a child reads it at its own pace even while Baton's event loop is blocked.
 * CP3 Time, silence and output are bounded. A limit ends everything that the call started, not only its first process.
 * CP4 When the promise settles, no process of the call is left and its pipes are closed.
 * CP5 A confined child runs where its sandbox says. Without a sandbox it runs as Baton's user.
 */
import type { Readable } from "node:stream";
import type { Confinement, SandboxDenial } from "./sandbox.ts";

export interface ChildSpec {
  /** Program and arguments. */
  command: readonly string[];
  cwd?: string;
  /** The whole environment of the child. */
  env: Readonly<Record<string, string>>;
  /** Text or bytes become an open file at descriptor 0. A stream is a conversation that stays open. Absent: empty. */
  input?: string | Uint8Array | Readable | null;
  timeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  killGraceMs?: number;
  signal?: AbortSignal;
  /** Absent or null: not confined. */
  confinement?: Confinement | null;
}

export interface CallSpec extends ChildSpec {
  /** More than this ends the call: `flooded`. */
  outputBytesMax: number;
  /** Longest time without a byte of output. Absent: it may be silent. */
  silenceMs?: number;
  /** Sees errors and progress as they come. */
  onErrorText?(text: string): void;
}

export interface ChildStatus {
  exitCode: number | null;
  signal: string | null;
  /** The program is not there or may not be executed. */
  missing: boolean;
  timedOut: boolean;
  aborted: boolean;
  flooded: boolean;
  /** What the sandbox ended it for. */
  denied: SandboxDenial | null;
  durationMs: number;
}

export interface CallEnd extends ChildStatus {
  /** It ended for `silenceMs`. */
  silent: boolean;
  stdout: Buffer;
  stderr: Buffer;
}

export interface FollowSpec extends ChildSpec {
  /** Longest time without a byte of output. */
  silenceMs: number;
  /** Value of `BATON_ATTEMPT` in `env`: finds descendants that left the process group, where no PID namespace ends them. */
  marker: string;
  onLine(line: string, stream: "stdout" | "stderr"): void;
  /** False: the line stays out of the transcript. */
  keeps?(line: string): boolean;
}

export interface FollowEnd extends ChildStatus {
  silent: boolean;
  transcript: string;
  transcriptTruncated: boolean;
}

export interface Children {
  /** A short program whose whole output is the answer. Never rejects for what the program does. */
  call(spec: CallSpec): Promise<CallEnd>;
  /** A long program whose output is read line by line. Never rejects for what the program does. */
  follow(spec: FollowSpec): Promise<FollowEnd>;
}
