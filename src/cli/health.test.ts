/** `baton doctor`: the whole installation, each part by itself. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deliveryFinding, type Finding, issuesOf, scoreOf } from "./health.ts";
import { runCli } from "./program.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-doctor-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function doctor(environment: Record<string, string>, words = "doctor --json") {
  let out = "";
  const code = await runCli(words.split(" "), {
    environment: {
      BATON_DATA: join(directory, "data"),
      BATON_HARNESS_COMMAND: '["true"]',
      BATON_SANDBOX: "off",
      ...environment,
    },
    directory,
    today: () => "2026-12-01",
    print: (text) => (out += `${text}\n`),
    note: (text) => (out += `${text}\n`),
  });
  return { code, out };
}

it("on an empty machine: what keeps runs from passing, what to do, and a score; exit code 1", async () => {
  const { code, out } = await doctor({ DATABASE_URL: "postgres://baton:secret-of-db@127.0.0.1:1/baton" });
  const { score, findings } = JSON.parse(out) as { score: number; findings: Finding[] };
  const byPart = Object.fromEntries(findings.map(({ part, state }) => [part, state]));
  expect(byPart).toMatchObject({
    program: "ok",
    git: "ok",
    owners: "warn",
    onboarding: "ok",
    app: "bad",
    GitHub: "bad",
    database: "bad",
    data: "ok",
    secrets: "ok",
    harnesses: "ok",
    sandbox: "warn",
  });
  expect(findings.find(({ part }) => part === "database")?.says).toBe("nothing answers at 127.0.0.1:1");
  expect(out).not.toContain("secret-of-db");
  expect(score).toBeLessThan(100);
  expect(code).toBe(1);
  const text = await doctor({}, "doctor");
  expect(text.out).toMatch(/Health: \d+ of 100\. What to do:\n {2}1\. app: Open the set-up page: `baton start`\./);
});

it("settings that cannot be read are the only finding, with all problems", async () => {
  const { code, out } = await doctor({ PORT: "x", LOG_LEVEL: "loud" });
  expect(JSON.parse(out)).toMatchObject({
    score: 0,
    findings: [{ part: "settings", state: "bad", says: expect.stringMatching(/PORT.*; LOG_LEVEL/) }],
  });
  expect(code).toBe(1);
});

it.each<[string, boolean[], Finding["state"], RegExp]>([
  ["none", [], "warn", /sent none/],
  ["all arrived", [true, true], "ok", /the last 2 arrived/],
  ["an old one failed", [true, false, true], "warn", /1 of the last 3 failed/],
  ["the newest failed", [false, true], "bad", /and so did the newest/],
])("deliveries: %s", (_, arrived, state, says) => {
  const found = deliveryFinding(arrived.map((one) => ({ ok: one, deliveredAt: "2026-03-01T00:00:00Z" })));
  expect(found).toMatchObject({ state, says: expect.stringMatching(says) });
});

it("the score counts a warning as half, and what prevents runs comes first", () => {
  const of = (...states: Finding["state"][]): Finding[] =>
    states.map((state) => ({ part: state, state, says: "", todo: null }));
  expect([scoreOf(of("ok", "ok")), scoreOf(of("ok", "warn")), scoreOf(of("bad", "warn")), scoreOf([])]).toEqual([
    100, 75, 25, 0,
  ]);
  expect(issuesOf(of("warn", "ok", "bad", "warn")).map(({ part }) => part)).toEqual(["bad", "warn", "warn"]);
});
