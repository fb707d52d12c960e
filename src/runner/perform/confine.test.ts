import { describe, expect, it } from "vitest";
import type { SandboxDenial, SandboxPolicy } from "../../ports/sandbox.ts";
import { confine } from "./confine.ts";

const workspace = {
  path: "/run/work",
  homePath: "/run/home",
  baseSha: "",
  writable: ["/run/work", "/run/repo", "/run/home"],
  readable: ["/run/lent"],
};

function confined(treeReadOnly: boolean, quietHosts: string[] = []) {
  let policy: SandboxPolicy | null = null;
  let deny: (denial: SandboxDenial) => void = () => {};
  const said: string[] = [];
  const resources = { memoryBytesMax: 1, processesMax: 1, diskBytesMax: 1 };
  const sandbox = {
    state: async () => ({ works: true, name: "", problem: null, remedy: null }),
    confine: (given: SandboxPolicy, onDenied: (denial: SandboxDenial) => void) => {
      policy = given;
      deny = onDenied;
      return { policy: given, prepare: () => Promise.reject(new Error("nothing is started")) };
    },
  };
  const attempt = confine(
    { agentSandbox: { sandbox, operator: "require", hosts: null, resources, root: false } },
    { kind: "confined" },
    {
      settings: { sandbox: { mode: null, network: [], setup: [] }, mcp: {} },
      workspace,
      harness: { readable: ["/opt/agent.mjs"], quietHosts },
      treeReadOnly,
      onDenied: (line) => said.push(line),
    },
  );
  return { attempt, policy: policy as unknown as SandboxPolicy, deny, said };
}

describe("the policy of an attempt", () => {
  it("a step that writes has its tree, its repository and its home", () => {
    const { policy } = confined(false);
    expect(policy.writable).toEqual(["/run/work", "/run/repo", "/run/home"]);
    expect(policy.readable).toEqual(["/run/lent", "/opt/agent.mjs"]);
  });

  it("a step that only reads cannot write its tree, and still writes its home", () => {
    const { policy } = confined(true);
    expect(policy.writable).toEqual(["/run/repo", "/run/home"]);
    expect(policy.readable).toEqual(["/run/work", "/run/lent", "/opt/agent.mjs"]);
  });

  it.each(["telemetry.example.com", "telemetry.example.com:443", "telemetry.example.com:8443"])(
    "%s, which its harness asks without need, is not reported; another host is",
    (name) => {
      const { attempt, deny, said } = confined(false, ["telemetry.example.com"]);
      deny({ kind: "host", name });
      expect(attempt.report()).toBeUndefined();
      deny({ kind: "host", name: "x.telemetry.example.com" });
      deny({ kind: "path", name: "telemetry.example.com" });
      expect(attempt.report()?.denied.map(({ kind }) => kind)).toEqual(["host", "path"]);
      expect(said).toHaveLength(2);
    },
  );
});
