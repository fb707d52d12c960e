import { describe, expect, it } from "vitest";
import { OutsidePaths } from "./outside-paths.ts";

const found = (detail: string): string[] => {
  const outside = new OutsidePaths(["/data/runs/a/work/x", "/data/runs/a/home/x"]);
  outside.take({ type: "tool", name: "shell", detail, state: "started" });
  return outside.paths;
};

describe("paths that tool calls name", () => {
  it.each([
    ["cat /etc/shadow", ["/etc/shadow"]],
    ["cat ../../secret.txt", ["../../secret.txt"]],
    ['read "~/.ssh/id_ed25519"', ["~/.ssh/id_ed25519"]],
    ["cp src/a.js /data/runs/b/work/y/a.js", ["/data/runs/b/work/y/a.js"]],
    ["cat --file=/root/.netrc", ["/root/.netrc"]],
    ["cat /data/runs/a/work/x/../../../b", ["/data/runs/a/work/x/../../../b"]],
  ])("%s is reported", (detail, paths) => {
    expect(found(detail)).toEqual(paths);
  });

  it.each([
    "cat src/a.js",
    "cat /data/runs/a/work/x/src/a.js",
    "ls src/../lib",
    "node --test > /dev/null",
    "/usr/bin/env node -e 0",
    "open https://example.com/a/b",
  ])("%s is not", (detail) => {
    expect(found(detail)).toEqual([]);
  });

  it("keeps a bounded number", () => {
    const many = Array.from({ length: 200 }, (_, index) => `/etc/${index}`).join(" ");
    expect(found(many)).toHaveLength(20);
  });
});

describe("in a sandbox", () => {
  const take = (...events: [name: string, detail: string, state: "started" | "completed" | "failed"][]): string[] => {
    const outside = new OutsidePaths(["/data/runs/a/work/x", "/data/runs/a/home/x"], ["/srv/lent", "/opt/agent"]);
    for (const [name, detail, state] of events) outside.take({ type: "tool", name, detail, state });
    return outside.paths;
  };

  it("only a call that failed is told", () => {
    expect(take(["shell", "cat /etc/shadow", "started"], ["shell", "", "failed"])).toEqual(["/etc/shadow"]);
    expect(take(["shell", 'grep "/api/users" src', "started"], ["shell", "", "completed"])).toEqual([]);
    expect(take(["shell", "cat /etc/shadow", "started"])).toEqual([]);
  });

  it("one that was told with its end alone is told, too, and another tool's failure is not its own", () => {
    expect(take(["read", "/srv/models/a.bin", "failed"])).toEqual(["/srv/models/a.bin"]);
    expect(
      take(
        ["read", "/srv/a", "started"],
        ["shell", "npm test", "started"],
        ["shell", "", "failed"],
        ["read", "", "completed"],
      ),
    ).toEqual([]);
  });

  it.each([
    "cat /srv/lent/a",
    "ls ~/.cache",
    "cat /tmp/x",
    "cat /proc/1/environ",
    "node --test",
    "cat src/a.js",
    "/usr/bin/true",
  ])("%s failed for another reason", (detail) => {
    expect(take(["shell", detail, "started"], ["shell", "", "failed"])).toEqual([]);
  });

  it("keeps a bounded number", () => {
    const many = Array.from({ length: 200 }, (_, index) => `/etc/${index}`).join(" ");
    expect(take(["shell", many, "started"], ["shell", "", "failed"])).toHaveLength(20);
  });
});
