import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type ProbeOptions, probeCli } from "./probe.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-probe-test-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const probe = (script: string, more: Partial<ProbeOptions> = {}) => {
  const program = join(directory, "program");
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return probeCli({ command: [program], install: "get it", authenticated: true, authenticate: "Set KEY.", ...more });
};

it.each([
  ["2.1.329 (Claude Code)", "2.1.329"],
  ["GitHub Copilot CLI 1.0.102.\nRun an update.", "1.0.102"],
  ["codex-cli 0.169.0-alpha.2", "0.169.0-alpha.2"],
  ["tool of tomorrow", "tool of tomorrow"],
  ["", null],
])("a version is found in %j", async (said, version) => {
  expect(await probe(`cat <<'END'\n${said}\nEND`)).toEqual({
    installed: true,
    version,
    authenticated: true,
    advice: null,
  });
});

it.each([
  ["echo 'no such library' >&2; exit 3", /ended with exit code 3: no such library\. To install it again: `get it`/],
  ["exit 4", /ended with exit code 4 and said nothing\./],
  ["kill -KILL $$", /was ended by SIGKILL/],
])("one that does not work says how: %s", async (script, advice) => {
  expect(await probe(script)).toMatchObject({ installed: false, broken: true, advice: expect.stringMatching(advice) });
});

it("one that does not end is ended, with what it started", async () => {
  const child = join(directory, "child.pid");
  const found = await probe(`setsid sh -c 'echo $$ > ${child}; exec sleep 600' &\nsleep 600`, { timeoutMs: 1_500 });
  expect(found).toMatchObject({ broken: true, advice: expect.stringContaining("did not end within 1.5 s") });
  const stat = `/proc/${readFileSync(child, "utf8").trim()}/stat`;
  // A zombie, which its parent has not yet reaped, is not a process anymore.
  expect(existsSync(stat) ? readFileSync(stat, "utf8") : ") Z ").toMatch(/\) Z /);
});

it("one that is not there is told with the line that installs it", async () => {
  const options = { install: "get it", authenticated: false, authenticate: "Set KEY." };
  expect(await probeCli({ command: [join(directory, "none")], ...options })).toEqual({
    installed: false,
    version: null,
    authenticated: false,
    advice: "`get it`",
  });
});

it("what else it needs of the machine counts, and its version is told all the same", async () => {
  const check = async () => ({ code: "BATON_HARNESS_SANDBOX", message: "No sandbox here." }) as const;
  expect(await probe("echo 1.2.3", { check })).toMatchObject({
    installed: false,
    broken: true,
    version: "1.2.3",
    advice: "No sandbox here.",
  });
});

it("H2: it sees nothing of Baton's environment", async () => {
  vi.stubEnv("PRIVATE_KEY", "must-not-be-seen");
  await probe(`env > ${join(directory, "seen")}; echo 1.2.3`);
  const seen = readFileSync(join(directory, "seen"), "utf8");
  expect(seen).toContain("BATON_ATTEMPT=probe/");
  expect(seen).not.toContain("must-not-be-seen");
});
