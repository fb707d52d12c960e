/** `baton harness doctor` warns about default models that retire, by a given clock. */
import { expect, it, vi } from "vitest";
import { runCli } from "./program.ts";

vi.mock("../config/models.ts", async (original) => {
  const real = await original<typeof import("../config/models.ts")>();
  const table = real.models.map((row) => (row.model === "gemini-3.8-flash" ? { ...row, retires: "2027-01-31" } : row));
  return {
    ...real,
    retiringDefaults: (today: string) => real.retiringDefaults(today, real.retirementNoticeDays, table),
  };
});

async function doctor(words: string, today: string): Promise<string> {
  let out = "";
  await runCli(["harness", "doctor", ...words.split(" ").filter((word) => word !== "")], {
    environment: {},
    directory: process.cwd(),
    print: (text) => (out += `${text}\n`),
    note: () => {},
    today: () => today,
  });
  return out;
}

it("harnesses-and-models: 30 days before, not earlier, in text and as data, at the harness that it concerns", async () => {
  expect(await doctor("", "2026-12-31")).not.toContain("Warning");
  expect(await doctor("", "2027-01-01")).toContain(
    "Warning: `gemini-3.8-flash`, the standard model of gemini, retires on 2027-01-31, in 30 days.",
  );
  const found = JSON.parse(await doctor("--json", "2027-02-01")) as { name: string; warnings: string[] }[];
  expect(found.flatMap(({ name, warnings }) => warnings.map((warning) => [name, warning]))).toEqual([
    ["gemini", expect.stringContaining("retired on 2027-01-31")],
  ]);
});

it("an old table is told as well", async () => {
  expect(await doctor("", "2028-01-01")).toContain("The table of models was read on");
});
