/**
 * The suite `modes`: all scenarios that jobs can run, in Actions mode. `npm test` runs many of them only as the App, each
 * for a checked reason, because a world of jobs takes longer.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { appOnly, isReason, leftOutInJobs } from "../scenarios/app-only.ts";
import { notForJobs } from "../scenarios/helpers.ts";
import type { Suite } from "./suite.ts";

const root = join(import.meta.dirname, "../..");
const scenarios = join(root, "test/scenarios");
const makesWorld = /\b(?:observedWorld|scenarioWorld)\(/;

/** A scenario of jobs takes half a minute. */
const hangMs = 240_000;

/** The part of Vitest's JSON report that is read here. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

/**
 * Files of scenarios that make a world. Left out: those about a part that jobs do not have, and those with a test of jobs of
 * their own.
 */
function filesOfBothModes(): string[] {
  return readdirSync(scenarios)
    .filter((name) => name.endsWith(".test.ts") && makesWorld.test(readFileSync(join(scenarios, name), "utf8")))
    .filter((name) => {
      const listed = appOnly[name.replace(/\.test\.ts$/, "")];
      return listed === undefined || !isReason(listed) || "decidedBy" in listed;
    });
}

export const modes: Suite = {
  name: "modes",
  summary: "Scenarios of the App end the same way in jobs of Actions mode.",
  flags: [],
  async prove({ say }) {
    const directory = mkdtempSync(join(tmpdir(), "baton-modes-"));
    const report = join(directory, "report.json");
    const files = filesOfBothModes();
    say(`${files.length} files of scenarios in jobs`);
    try {
      const leftOut = Object.keys(leftOutInJobs).map((title) => title.replaceAll(/[^\w ]/g, "."));
      await runVitest([
        ...files.map((name) => join("test/scenarios", name)),
        `--testNamePattern=^(?!.*(?:${leftOut.join("|")}))`,
        `--outputFile=${report}`,
      ]);
      const { testResults } = reportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
      const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
      const broken = testResults
        .filter(({ message }) => message !== "")
        .map(({ name, message }) => `${name}: ${message}`);
      const isOfApp = (messages: readonly string[]): boolean => messages[0]?.includes(notForJobs) === true;
      const failing = tests.filter(({ status }) => status === "failed");
      const failed = failing.filter((one) => !isOfApp(one.failureMessages ?? [])).map(({ fullName }) => fullName);
      for (const line of [...broken, ...failed]) say(`failed: ${line}`);
      const passed = tests.filter(({ status }) => status === "passed").length;
      return {
        held: passed > failing.length && failed.length === 0 && broken.length === 0,
        result: {
          files: files.length,
          passed,
          failed: failed.length + broken.length,
          ofApp: failing.length - failed.length,
          leftOut: leftOut.length,
        },
      };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** Vitest's exit code repeats what the report says. */
function runVitest(words: readonly string[]): Promise<void> {
  const program = join(root, "node_modules/vitest/vitest.mjs");
  const env = { ...process.env, BATON_TEST_MODE: "actions" };
  const { promise, resolve } = Promise.withResolvers<void>();
  execFile(
    process.execPath,
    [program, "run", ...words, "--reporter=json", `--testTimeout=${hangMs}`],
    { cwd: root, env, maxBuffer: 2 ** 28 },
    () => resolve(),
  );
  return promise;
}
