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
