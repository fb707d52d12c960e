/** Results of a detector's command: nothing, too much, or a report that cannot be read. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { detectIn } from "./shell.ts";

let place = "";
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "detect-"));
  writeFileSync(join(place, "large.sarif"), Buffer.alloc(50 * 1024 * 1024, 32));
  writeFileSync(
    join(place, "none.sarif"),
    '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[]}]}',
  );
  writeFileSync(join(place, "empty.sarif"), "");
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const finding = "src/a.ts:1: error: Broken [x]\n";
const end = { transcript: "", transcriptTruncated: false, exitCode: 0 as number | null, signal: null as string | null };

it.each<[string, { detector: string; report: string | null }, Partial<typeof end>, RegExp | null, number]>([
  ["prints nothing", { detector: "command", report: null }, {}, null, 0],
  [
    "prints nothing and fails",
    { detector: "command", report: null },
    { exitCode: 2 },
    /ended with exit code 2 and no finding/,
    0,
  ],
  [
    "finds something and exits with 1",
    { detector: "command", report: null },
    { exitCode: 1, transcript: finding },
    null,
    1,
  ],
  [
    "prints a million lines",
    { detector: "command", report: null },
    { transcript: finding, transcriptTruncated: true },
    /printed more than is kept/,
    0,
  ],
  [
    "is killed",
    { detector: "command", report: null },
    { transcript: finding, signal: "SIGKILL", exitCode: null },
    /was ended by SIGKILL/,
    0,
  ],
  ["leaves no report", { detector: "sarif", report: "no.sarif" }, {}, /left no file `no.sarif`/, 0],
  ["leaves an empty report", { detector: "sarif", report: "empty.sarif" }, {}, /it is empty/, 0],
  [
    "leaves a report of 50 MB",
    { detector: "sarif", report: "large.sarif" },
    {},
    /it has 50 MB, and at most 20 MB are read/,
    0,
  ],
  ["leaves a report without results", { detector: "sarif", report: "none.sarif" }, {}, null, 0],
])("a detector that %s", (_, detect, given, failed, found) => {
  const options = { redact: (text: string) => text, clock: new ManualClock() };
  const detected = detectIn(place, detect, { ...end, ...given } as never, options);
  expect(detected.failed).toBe(failed !== null);
  if (failed !== null) expect(detected.notes.join()).toMatch(failed);
  expect(detected.findings).toHaveLength(found);
});
