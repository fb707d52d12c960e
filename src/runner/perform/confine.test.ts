import { describe, expect, it } from "vitest";
import type { SandboxDenial, SandboxPolicy } from "../../ports/sandbox.ts";
import { denialText } from "../../thread/render/sandbox.ts";
import { confine, hostsOf } from "./confine.ts";

const workspace = {
  path: "/run/work",
  homePath: "/run/home",
  baseSha: "",
  writable: ["/run/work", "/run/repo", "/run/home"],
  readable: ["/run/lent"],
};

function confined(treeReadOnly: boolean, quietHosts: string[] = [], loopbackPorts?: number[]) {
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
    { agentSandbox: { sandbox, operator: "require", hosts: null, readable: ["/srv/models"], resources, root: false } },
    { kind: "confined" },
    {
      settings: { sandbox: { mode: null, network: [], setup: [] }, mcp: {} },
      workspace: { ...workspace, ...(loopbackPorts === undefined ? {} : { loopbackPorts }) },
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
    expect(policy.readable).toEqual(["/run/lent", "/opt/agent.mjs", "/srv/models"]);
  });

  it("a step that only reads cannot write its tree, and still writes its home", () => {
    const { policy } = confined(true);
    expect(policy.writable).toEqual(["/run/repo", "/run/home"]);
    expect(policy.readable).toEqual(["/run/work", "/run/lent", "/opt/agent.mjs", "/srv/models"]);
  });

  it("the door to older files of a large repository is reachable inside", () => {
    expect(confined(false).policy.network.loopbackPorts).toEqual([]);
    expect(confined(false, [], [4_711]).policy.network.loopbackPorts).toEqual([4_711]);
  });

  it("a path that a failed tool call named is denied like a host, with the setting that shows it", () => {
    const report = confined(false).attempt.report(["/srv/data"]);
    expect(report).toEqual({ missing: null, denied: [{ kind: "path", name: "/srv/data" }], outside: [] });
    expect(denialText({ kind: "path", name: "/srv/data" })).toMatch(/`\/srv\/data`.*BATON_SANDBOX_READABLE/);
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

describe("the hosts of an attempt", () => {
  const settings = (network: string[], url: string | null = null) => ({
    sandbox: { mode: null, network, setup: [] },
    mcp: url === null ? {} : { docs: { command: [], environment: {}, url, access: "read-only" as const } },
  });
  const bound = (hosts: string[] | null) => ({ agentSandbox: { hosts } as never });

  it("`sandbox.network`: listed hosts and presets are reachable, within the operator's bound", () => {
    expect(hostsOf(bound(null), settings(["npm", "files.example.com"])).hosts).toEqual([
      "registry.npmjs.org",
      "registry.yarnpkg.com",
      "files.example.com",
    ]);
    const { hosts, refused } = hostsOf(bound(["npm"]), settings(["npm", "files.example.com"]));
    expect(hosts).not.toContain("files.example.com");
    expect(refused.map(({ entry }) => entry)).toEqual(["files.example.com"]);
  });

  it("a server of tools is reachable as a listed host is; a private address needs the operator's word", () => {
    expect(hostsOf(bound(null), settings([], "https://tools.example.com/mcp")).hosts).toEqual(["tools.example.com"]);
    expect(hostsOf(bound(null), settings([], "http://127.0.0.1:9/mcp"))).toMatchObject({ hosts: [], refused: [{}] });
    expect(hostsOf(bound(["127.0.0.1:9"]), settings([], "http://127.0.0.1:9/mcp")).hosts).toEqual(["127.0.0.1:9"]);
  });
});
