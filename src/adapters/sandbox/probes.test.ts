/** The sandbox stops every break-out probe. Without the sandbox, each probe succeeds. */
import { beforeAll, describe, expect, it } from "vitest";
import { children } from "../child/children.ts";
import type { ProbeResult } from "./probes/probe.ts";
import { allProbes, probeHost, runProbes } from "./probes/run-probes.ts";
import { testSandbox, whySkipped } from "./test-attempt.ts";

const host = await probeHost();
const nodePath = process.execPath;

describe.skipIf(whySkipped !== null)(
  `with the sandbox on${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`,
  () => {
    let results: ProbeResult[] = [];
    beforeAll(async () => {
      const confine = (policy: Parameters<typeof testSandbox.confine>[0]) => testSandbox.confine(policy, () => {});
      results = await runProbes({ children, nodePath, confine }, allProbes);
    });

    it.each(allProbes.map(({ name, source }) => [name, source]))("stops: %s (%s)", (name) => {
      expect(results.find((result) => result.name === name)).toMatchObject({ verdict: "stopped", detail: null });
    });

    it("says so of itself", async () => {
      expect(await testSandbox.state()).toMatchObject({ works: true, problem: null, remedy: null });
      expect((await testSandbox.state()).name).toMatch(/^bubblewrap \d/);
    });
  },
);

describe.skipIf(process.platform !== "linux")("with the sandbox off, so that a stop above means something", () => {
  let results: ProbeResult[] = [];
  beforeAll(async () => {
    results = await runProbes({ children, nodePath, confine: null }, allProbes);
  });

  for (const probe of allProbes) {
    const forbidden = probe.forbidden?.(host) ?? null;
    it.skipIf(forbidden !== null)(
      `succeeds: ${probe.name}${forbidden === null ? "" : ` (skipped: ${forbidden})`}`,
      () => {
        expect(results.find(({ name }) => name === probe.name)?.verdict).toBe("not stopped");
      },
    );
  }
});

it("every probe has a name of its own", () => {
  expect(new Set(allProbes.map(({ name }) => name)).size).toBe(allProbes.length);
});
