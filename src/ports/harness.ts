/**
 * A coding-agent command line behind one shape. Contract suite: `test/contract/harness.ts`.
 *
 * H1 Success is judged by the terminal event and by git, never by the exit code alone.
 * H2 The environment of the agent is an allow-list; no GitHub write token is ever in it.
 * H3 Whatever happens, no process of the agent is left when `run` settles: TERM, grace, KILL, survivors by marker.
 * H4 Output is bounded and redacted before it is kept or shown.
 */
import type { ErrorData } from "../core/errors.ts";
import type { Tool } from "../core/instructions.ts";
import type { Capability, Tokens } from "../core/vocabulary.ts";
import type { ModelAccesses } from "./model-proxy.ts";
import type { Confinement } from "./sandbox.ts";

export type HarnessCapabilities = Record<Capability, boolean>;

/** A server of the Model Context Protocol, started by the agent or reached over HTTP; it gets no token of Baton's. */
export type ToolServer = { name: string } & (
  | { command: readonly string[]; variables: Readonly<Record<string, string>> }
  | { url: string }
);

export interface HarnessRequest {
  /** Working directory: the workspace. */
  cwd: string;
  /** Private home and temporary directory of this attempt. */
  homePath: string;
  systemPrompt: string;
  prompt: string;
  access: "read-only" | "write";
  model: string | null;
  resumeSessionId: string | null;
  maxTurns: number | null;
  maxUsd: number | null;
  timeoutMs: number;
  silenceMs: number;
  /** Where its processes run. Absent or null: as Baton's user, not confined. */
  confinement?: Confinement | null;
  /** Marker put into the environment as BATON_ATTEMPT, by which survivors are found. */
  attemptMarker: string;
  /** Program and arguments that the repository's settings name; only the harness `command` looks at it. */
  command?: readonly string[];
  /** Where models are to be asked, with a token for this attempt; it goes before any key that the adapter has itself. */
  models?: ModelAccesses;
  /** Servers whose tools the agent may use; a harness without the capability `toolServers` ignores them, and says so. */
  toolServers?: readonly ToolServer[];
  /** Base SHA etc. that harness `command` may read, as BATON_* variables. No secrets. */
  variables: Record<string, string>;
}

export type HarnessEvent =
  | { type: "session"; sessionId: string; model: string | null }
  | { type: "text"; text: string }
  | { type: "tool"; name: string; detail: string; state: "started" | "completed" | "failed" }
  /** Cumulative for the attempt, per model. `costUsd` as the harness reports it, else null. */
  | { type: "usage"; model: string; tokens: Tokens; costUsd: number | null }
  | { type: "retry"; reason: string; status: number | null; attempt: number }
  | { type: "warning"; text: string };

export interface HarnessResult {
  ok: boolean;
  /** Why not ok; `code` is one of BATON_HARNESS_*, BATON_TIMEOUT, BATON_CANCELLED, BATON_BUDGET_EXCEEDED. */
  error: ErrorData | null;
  /** Last message of the agent. */
  text: string;
  sessionId: string | null;
  /** Final, per model; tokens never overlap (`Tokens`). */
  usage: { model: string; tokens: Tokens; costUsd: number | null }[];
  turns: number;
  exitCode: number | null;
  signal: string | null;
  /** Bounded, redacted stdout and stderr. */
  transcript: string;
  transcriptTruncated: boolean;
  durationMs: number;
}

export interface HarnessProbe {
  /** It is there and answers. */
  installed: boolean;
  /** It is there, but does not work on this machine; `advice` says what is wrong. */
  broken?: true;
  version: string | null;
  /** Presence of a key or login only, never its value. */
  authenticated: boolean;
  /** How to install or log in, where something is missing. */
  advice: string | null;
}

export interface Harness {
  readonly name: string;
  readonly capabilities: HarnessCapabilities;
  readonly defaultModel: string | null;
  /** Tools that its agent has, as Baton starts it: prompts speak of no others. Unset: not known, and prompts speak of none. */
  readonly tools?: Readonly<Record<HarnessRequest["access"], readonly Tool[]>>;
  /** The scripted agent of the demo and the tests: it needs no sandbox unless one is required. */
  readonly scripted?: boolean;
  /** Files that its program reads besides the toolchain, absolute. */
  readonly readable?: readonly string[];
  /** Hosts of its maker that its program asks without need and that nothing switches off: denied like all others, not reported. */
  readonly quietHosts?: readonly string[];
  probe(): Promise<HarnessProbe>;
  /** Streams events to `onEvent`; abort of `signal` stops it politely, then by force. Never rejects for what the harness does: see `error`. */
  run(request: HarnessRequest, onEvent: (event: HarnessEvent) => void, signal: AbortSignal): Promise<HarnessResult>;
}
