/**
 * The place of an agent's processes. Today that is bubblewrap. A microVM, a container or a Kubernetes job fits the same
 * interface.
 *
 * SB1 An agent writes its worktree and its scratch, reads the toolchain, and sees nothing else of the machine.
 * SB2 The network is Baton's model proxy and the listed hosts. The sandbox denies everything else and reports it by
 *     name.
 * SB3 Processes have their own PID namespace: no signals leave it, and no process outlives the attempt.
 * SB4 Memory, processes and disk are bounded.
 * SB5 A mount point is never created below a path that an agent can write. Sources are checked without following links.
 */

import type { SandboxMode, SandboxState } from "../policy/sandbox.ts";

export interface SandboxPolicy {
  /** Existing directories that Baton made for this attempt, absolute. */
  writable: readonly string[];
  /** Further existing readable paths, absolute: the objects that the worktree borrows, the harness's own files. */
  readable: readonly string[];
  network: SandboxNetwork;
  resources: SandboxResources;
}

export interface SandboxNetwork {
  /** `host`, `host:port` or `*.host`. Without a port: 80 and 443. */
  hosts: readonly string[];
  /** Ports of Baton's own services on 127.0.0.1. The same address reaches them from inside. */
  loopbackPorts: readonly number[];
}

export interface SandboxResources {
  memoryBytesMax: number;
  processesMax: number;
  /** For all writable directories together. */
  diskBytesMax: number;
}

/** An access that the sandbox blocked, for the thread. */
export interface SandboxDenial {
  kind: "host" | "path" | "memory" | "processes" | "disk";
  /** The requested host, the path, or the amount. */
  name: string;
}

/** The command that starts a program in its sandbox. */
export interface ConfinedCommand {
  command: string[];
  env: Record<string, string>;
  cwd: string;
  /**
   * Called with the process id of the started program: from here, Baton applies and watches resource limits. `stop`
   * ends the program.
   */
  started(pid: number, stop: (why: SandboxDenial) => void): void;
  /**
   * After the end: closes sockets and removes limits. For a failed program, returns the limit that the kernel enforced,
   * or null.
   */
  release(failed: boolean): Promise<SandboxDenial | null>;
}

/** One attempt's sandbox, as the child port uses it. */
export interface Confinement {
  readonly policy: SandboxPolicy;
  prepare(program: {
    command: readonly string[];
    env: Readonly<Record<string, string>>;
    cwd: string;
  }): Promise<ConfinedCommand>;
}

export interface Sandbox {
  /** Runs the self-test once and remembers the result. */
  state(): Promise<SandboxState>;
  /** `onDenied` is called once per kind and name. */
  confine(policy: SandboxPolicy, onDenied: (denial: SandboxDenial) => void): Confinement;
}

/** This machine's sandbox and its operator's settings. */
export interface AgentSandbox {
  sandbox: Sandbox;
  operator: SandboxMode;
  /** Hosts and presets that repositories may list. null: any public host. */
  hosts: readonly string[] | null;
  /** Further paths of this machine that its operator shows to agents, absolute. */
  readable: readonly string[];
  resources: SandboxResources;
  /** Baton runs as root. */
  root: boolean;
}
