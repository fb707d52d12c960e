/**
 * A coding-agent command line behind one interface. Contract suite: `test/contract/harness.ts`.
 *
 * H1 The terminal event and git decide about success, never the exit code alone.
 * H2 The environment of the agent is an allow-list: it never contains a GitHub write token.
 * H3 No process of the agent is left when `run` settles, in any case: TERM, grace, KILL, survivors by marker.
 * H4 Output is bounded and redacted before Baton stores or shows it.
 */
import type { ErrorData } from "../core/errors.ts";
import type { Tool } from "../core/instructions.ts";
import type { Capability, Tokens } from "../core/vocabulary.ts";
import type { ModelAccesses } from "./model-proxy.ts";
import type { Confinement } from "./sandbox.ts";

export type HarnessCapabilities = Record<Capability, boolean>;

/** A server of the Model Context Protocol. The agent starts it or reaches it over HTTP. It gets no token of Baton. */
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
  /** The sandbox of its processes. Absent or null: they run as Baton's user, not confined. */
  confinement?: Confinement | null;
  /** Marker in the environment as BATON_ATTEMPT, which identifies survivors. */
  attemptMarker: string;
  /** Program and arguments from the repository's settings. Only the harness `command` reads them. */
  command?: readonly string[];
  /** The addresses of the models, with a token for this attempt. They take precedence over the adapter's own keys. */
  models?: ModelAccesses;
  /**
   * Servers whose tools the agent may use. A harness without the capability `toolServers` reports them and ignores
   * them.
   */
  toolServers?: readonly ToolServer[];
  /** Base SHA etc. that harness `command` may read as BATON_* variables. No secrets. */
  variables: Record<string, string>;
}

export type HarnessEvent =
  | { type: "session"; sessionId: string; model: string | null }
  | { type: "text"; text: string }
  | { type: "tool"; name: string; detail: string; state: "started" | "completed" | "failed" }
  /** Cumulative for the attempt, per model. `costUsd` is the harness's own figure. null: there is none. */
  | { type: "usage"; model: string; tokens: Tokens; costUsd: number | null }
  | { type: "retry"; reason: string; status: number | null; attempt: number }
  | { type: "warning"; text: string };

export interface HarnessResult {
  ok: boolean;
  /**
   * The reason for a failure. `code` is one of BATON_HARNESS_*, BATON_TIMEOUT, BATON_CANCELLED, BATON_BUDGET_EXCEEDED.
   */
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
  /** The program exists and answers. */
  installed: boolean;
  /** The program exists, but does not work on this machine. `advice` gives the reason. */
  broken?: true;
  version: string | null;
  /** Only the presence of a key or login, never its value. */
  authenticated: boolean;
  /** How to install or log in, if something is missing. */
  advice: string | null;
}

export interface Harness {
  readonly name: string;
  readonly capabilities: HarnessCapabilities;
  readonly defaultModel: string | null;
  /** Tools of its agent, as Baton starts it: prompts mention only these. Unset: unknown, and prompts mention none. */
  readonly tools?: Readonly<Record<HarnessRequest["access"], readonly Tool[]>>;
  /** The scripted agent of the demo and the tests: it needs no sandbox unless somebody requires one. */
  readonly scripted?: boolean;
  /** Files that its program reads in addition to the toolchain: absolute paths. */
  readonly readable?: readonly string[];
  /**
   * Hosts that its program contacts without need, with no setting to prevent it. Baton denies them like all others, but
   * does not report them.
   */
  readonly quietHosts?: readonly string[];
  probe(): Promise<HarnessProbe>;
  /**
   * Streams events to `onEvent`. An abort of `signal` stops it politely, then by force. Never rejects because of the
   * harness: see `error`.
   */
  run(request: HarnessRequest, onEvent: (event: HarnessEvent) => void, signal: AbortSignal): Promise<HarnessResult>;
}
