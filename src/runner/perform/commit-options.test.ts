import { expect, it } from "vitest";
import { defaultSettings } from "../../config/schema.ts";
import { commitOptions } from "./commit-options.ts";

const given = (signOff: boolean) =>
  ({
    dependencies: {
      github: { identity: async () => ({ bot: { id: 1, login: "baton[bot]", kind: "bot" } }) },
      redact: (text: string) => text,
      clock: { now: () => 5 },
    },
    state: {
      runId: "run_x",
      requestedBy: { id: 2, login: "ann" },
      settings: { ...defaultSettings, commits: { signOff } },
    },
    effect: { key: "implement" },
  }) as unknown as Parameters<typeof commitOptions>[0];
const signature = "Signed-off-by: baton[bot] <1+baton[bot]@users.noreply.github.com>";

it("`commits.signOff` signs every commit of a run off, joins included", async () => {
  for (const harness of ["codex", null]) {
    expect((await commitOptions(given(true), harness, "x")).trailers.at(-1)).toBe(signature);
    expect((await commitOptions(given(false), harness, "x")).trailers).not.toContain(signature);
  }
});

it.each([["a\nSigned-off-by: bob <b@x.y>"], ["x: y <b@x.y>"], ["é".repeat(200)]])(
  "a harness called %j adds no field of its own",
  async (harness) => {
    const { trailers } = await commitOptions(given(false), harness, "x");
    expect(trailers.map((line) => line.split(":")[0])).toEqual([
      "Baton-Run",
      "Baton-Step",
      "Baton-Harness",
      "Co-authored-by",
    ]);
    expect(trailers[2]).toMatch(/^Baton-Harness: [\w.-]{1,80}$/);
  },
);
