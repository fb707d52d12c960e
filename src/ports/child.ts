/**
 * The single way in which Baton starts a program: agents, shell steps, repository commands, git, mounts, probes.
 *
 * CP1 A child inherits nothing: the environment is a list, the working directory is named, no shell is involved.
 * CP2 Input is an open file, so a child reads it at its own pace even while Baton's event loop is blocked.
 * CP3 Time, silence and output are bounded. A limit ends everything that the call started, not only its first process.
 * CP4 When the promise settles, no process of the call is left and its pipes are closed.
 * CP5 A confined child runs in its sandbox. Without a sandbox it runs as Baton's user.
 */
import type { Readable } from "node:stream";
import type { Confinement, SandboxDenial } from "./sandbox.ts";

export interface ChildSpec {
  /** Program and arguments. */
  command: readonly string[];
  cwd?: string;
  /** The whole environment of the child. */
  env: Readonly<Record<string, string>>;
  /** Text or bytes become an open file at descriptor 0. A stream stays open for a conversation. Absent: empty. */
  input?: string | Uint8Array | Readable | null;
  timeoutMs: number;
  /** Time from SIGTERM to SIGKILL. */
  killGraceMs?: number;
  signal?: AbortSignal;
  /** Absent or null: not confined. */
  confinement?: Confinement | null;
}

export interface CallSpec extends ChildSpec {
  /** More output than this ends the call: `flooded`. */
  outputBytesMax: number;
  /** Longest time without a byte of output. Absent: no limit. */
  silenceMs?: number;
  /** Receives errors and progress as they come. */
  onErrorText?(text: string): void;
}

export interface ChildStatus {
  exitCode: number | null;
  signal: string | null;
  /** The program does not exist or may not be executed. */
  missing: boolean;
  timedOut: boolean;
  aborted: boolean;
  flooded: boolean;
  /** The sandbox's reason for ending the call. */
  denied: SandboxDenial | null;
  durationMs: number;
}

export interface CallEnd extends ChildStatus {
  /** The call ended for `silenceMs`. */
  silent: boolean;
  stdout: Buffer;
  stderr: Buffer;
}

export interface FollowSpec extends ChildSpec {
  /** Longest time without a byte of output. */
  silenceMs: number;
  /**
   * Value of `BATON_ATTEMPT` in `env`. It finds descendants that left the process group, if no PID namespace ends them.
   */
  marker: string;
  onLine(line: string, stream: "stdout" | "stderr"): void;
  /** False: the transcript omits the line. */
  keeps?(line: string): boolean;
}

export interface FollowEnd extends ChildStatus {
  silent: boolean;
  transcript: string;
  transcriptTruncated: boolean;
}

export interface Children {
  /** A short program whose whole output is the answer. Never rejects because of the program. */
  call(spec: CallSpec): Promise<CallEnd>;
  /** A long program whose output is read line by line. Never rejects because of the program. */
  follow(spec: FollowSpec): Promise<FollowEnd>;
}
