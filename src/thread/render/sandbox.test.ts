import { describe, expect, it } from "vitest";
import type { RunState } from "../../core/state.ts";
import { asideLines } from "./aside.ts";
import { denialText, sandboxLines, sandboxNote } from "./sandbox.ts";

const sha = "a".repeat(40);
const stateOf = (...effects: object[]): RunState =>
  ({
    thread: { repository: { id: 7 } },
    effects: new Map(effects.map((effect, index) => [`${index}`, { kind: "agent", attempts: [], ...effect }])),
  }) as unknown as RunState;

describe("what a sandbox stopped, in the thread", () => {
  it("a host comes with the setting that allows it: its preset, or itself", () => {
    expect(denialText({ kind: "host", name: "registry.npmjs.org" })).toContain("sandbox: { network: [npm] }");
    expect(denialText({ kind: "host", name: "files.example.com" })).toContain('network: ["files.example.com"]');
    expect(denialText({ kind: "memory", name: "9 GB" })).toContain("BATON_SANDBOX_MEMORY");
  });

  it.each(["evil`@bob", "a\u0000b", "x\n\n# heading", '"] }` @everyone', "ü.example"])(
    "%j cannot leave its code span",
    (name) => {
      const text = denialText({ kind: "host", name });
      expect(text.split("`").length % 2).toBe(1);
      expect(text.includes("\n") || text.includes("\u0000")).toBe(false);
    },
  );

  it("each denial is one line, once, and what failed attempts kept counts too", () => {
    const denied = [{ kind: "host", name: "a.example" }];
    const report = { missing: null, denied, outside: [] };
    const lines = sandboxLines(stateOf({ output: { sandbox: report } }, { attempts: [{ kept: { sandbox: report } }] }));
    expect(lines?.split("\n")).toHaveLength(1);
    expect(sandboxNote(report as never)).toBe("sandbox denied `a.example`");
    expect(sandboxLines(stateOf({}))).toBeNull();
  });

  it("a missing sandbox and tool calls outside the worktree are said", () => {
    const report = { missing: "bubblewrap is not installed.", denied: [], outside: ["/etc/shadow", "~/.ssh/id`x"] };
    const lines = sandboxLines(stateOf({ output: { sandbox: report } })) ?? "";
    expect(lines).toContain("No sandbox");
    expect(lines).toContain("`/etc/shadow`");
    expect(lines.split("`").length % 2).toBe(1);
  });
});

describe("commits beside the result", () => {
  it("worktree-inside-the-tree: are named with the command that brings them back", () => {
    const aside = { name: "worktree .worktrees/wt", headSha: sha, commits: 2, ref: "refs/baton/aside/x" };
    expect(asideLines(stateOf({ output: { aside: [aside] } }))).toContain(
      `git --git-dir=<BATON_DATA>/workspaces/trusted/7.git push <clone address> ${sha}:refs/heads/baton-aside/aaaaaaaaaaaa`,
    );
    expect(asideLines(stateOf({ output: { aside: [{ ...aside, ref: null }] } }))).toContain("Baton refused them.");
    expect(asideLines(stateOf({ output: {} }))).toBeNull();
  });
});
