/**
 * The sandbox of one attempt: its write, read and network access, and the accesses that it blocked.
 *
 * Owns: the policy of an attempt, from its workspace, the settings and the operator's bounds. Does not own: whether
 * there is a sandbox (`policy/sandbox.ts`), how to make it (`ports/sandbox.ts`).
 * CF1 An attempt reaches only hosts that the operator and the base branch's configuration list. An agent cannot add
 *     any.
 */
import { networkHosts } from "../../config/network-presets.ts";
import type { Settings } from "../../config/schema.ts";
import type { SandboxReport } from "../../core/effect.ts";
import { BatonError, fromData } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { decideSandbox, type SandboxDecision } from "../../policy/sandbox.ts";
import type { Harness } from "../../ports/harness.ts";
import type { ModelAccesses } from "../../ports/model-proxy.ts";
import type { Confinement, SandboxDenial } from "../../ports/sandbox.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { denialText } from "../../thread/render/sandbox.ts";
import type { Dependencies } from "../dependencies.ts";

export interface AttemptConfinement {
  /** Null: the attempt runs without a sandbox. */
  confinement: Confinement | null;
  /** The error of an attempt that was killed for a limit. */
  limit(): BatonError | null;
  /** `outside`: paths of tool calls outside the attempt's own directories (`outside-paths.ts`). */
  report(outside?: readonly string[]): SandboxReport | undefined;
}

/** The hosts that an attempt may reach, by the base branch's configuration and within the operator's bound (CF1). */
export function hostsOf(
  { agentSandbox }: Pick<Dependencies, "agentSandbox">,
  settings: Pick<Settings, "sandbox" | "mcp">,
): { hosts: string[]; refused: { entry: string; reason: string }[] } {
  return networkHosts([...settings.sandbox.network, ...toolServerHosts(settings)], agentSandbox?.hosts ?? null);
}

const open: AttemptConfinement = { confinement: null, limit: () => null, report: () => undefined };

/** The sandbox decision for an attempt on this machine. Baton also checks it before a run begins. */
export async function sandboxDecision(
  { agentSandbox }: Pick<Dependencies, "agentSandbox">,
  settings: Pick<Settings, "sandbox">,
  harness: Pick<Harness, "scripted"> | null,
): Promise<SandboxDecision> {
  if (agentSandbox === undefined) return { kind: "open", reason: null };
  const { sandbox, operator, root } = agentSandbox;
  const repository = settings.sandbox.mode;
  const scripted = harness?.scripted === true;
  // The self-test costs a second, so it runs only if its answer matters.
  const unasked = decideSandbox({ operator, repository, sandbox: unknown, root: false, scripted });
  if (unasked.kind === "open" && unasked.reason === null) return unasked;
  return decideSandbox({ operator, repository, sandbox: await sandbox.state(), root, scripted });
}

const unknown = { works: false, name: "", problem: "unknown", remedy: null };

/** Uses the decision from before the attempt's prompt. */
export function confine(
  { agentSandbox, noteUnconfined }: Pick<Dependencies, "agentSandbox" | "noteUnconfined">,
  decision: SandboxDecision,
  {
    settings,
    workspace,
    harness,
    models = {},
    treeReadOnly = false,
    onDenied,
  }: {
    settings: Pick<Settings, "sandbox" | "mcp">;
    workspace: Workspace;
    /** Null: there is no agent, and the step runs the repository's own command. */
    harness: Pick<Harness, "readable" | "quietHosts"> | null;
    models?: ModelAccesses;
    /** The step only reads: its agent cannot change its tree, whatever tools it has. */
    treeReadOnly?: boolean;
    onDenied(line: string): void;
  },
): AttemptConfinement {
  if (decision.kind === "refused") throw fromData(decision.error);
  if (agentSandbox === undefined || decision.kind === "open") {
    noteUnconfined?.();
    return decision.kind === "open" && decision.reason !== null ? inTheOpen(decision.reason) : open;
  }
  const denied: SandboxDenial[] = [];
  let stoppedBy: SandboxDenial | null = null;
  const confinement = agentSandbox.sandbox.confine(
    {
      writable: treeReadOnly ? workspace.writable.filter((path) => path !== workspace.path) : workspace.writable,
      readable: [
        ...(treeReadOnly ? [workspace.path] : []),
        ...workspace.readable,
        ...(harness?.readable ?? []),
        ...agentSandbox.readable,
      ],
      network: {
        hosts: hostsOf({ agentSandbox }, settings).hosts,
        loopbackPorts: [...loopbackPorts(models), ...(workspace.loopbackPorts ?? [])],
      },
      resources: agentSandbox.resources,
    },
    (denial) => {
      if (denial.kind !== "host" && denial.kind !== "path") stoppedBy = denial;
      if (denial.kind === "host" && isQuiet(denial.name, harness?.quietHosts ?? [])) return;
      if (denied.length >= limits.sandboxDenialsMax) return;
      denied.push(denial);
      onDenied(denialText(denial));
    },
  );
  return {
    confinement,
    limit: () => (stoppedBy === null ? null : new BatonError("BATON_SANDBOX_LIMIT", denialText(stoppedBy))),
    report(outside = []) {
      const all = [...denied, ...outside.map((name): SandboxDenial => ({ kind: "path", name }))];
      return all.length === 0
        ? undefined
        : { missing: null, denied: all.slice(0, limits.sandboxDenialsMax), outside: [] };
    },
  };
}

/** Denials have names of the form `host` or `host:port`. */
function isQuiet(name: string, quiet: readonly string[]): boolean {
  return quiet.includes(name.replace(/:\d+$/, ""));
}

function inTheOpen(missing: string): AttemptConfinement {
  return {
    ...open,
    report: (outside = []) => ({ missing, denied: [], outside: outside.slice(0, limits.sandboxDenialsMax) }),
  };
}

/** The base branch's configuration names tool servers. Their hosts are allowed like any listed host. */
function toolServerHosts({ mcp }: Pick<Settings, "mcp">): string[] {
  return Object.values(mcp).flatMap(({ url }) => {
    if (url === null || !URL.canParse(url)) return [];
    const { hostname, port } = new URL(url);
    return [port === "" ? hostname : `${hostname}:${port}`];
  });
}

/** Baton's model proxy listens on this machine's loopback. Its address inside the sandbox is the same. */
function loopbackPorts(models: ModelAccesses): number[] {
  const ports = Object.values(models).flatMap(({ baseUrl }) => {
    const { hostname, port } = new URL(baseUrl);
    return hostname === "127.0.0.1" && port !== "" ? [Number(port)] : [];
  });
  return [...new Set(ports)];
}
