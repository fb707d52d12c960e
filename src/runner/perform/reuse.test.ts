import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { defaultSettings, type Settings } from "../../config/schema.ts";
import { BatonError } from "../../core/errors.ts";
import { product } from "../../core/product.ts";
import { reuseOf } from "./reuse.ts";

const repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const hour = 3_600_000;
const sha = "a".repeat(40);
const step = {
  title: "Detect",
  command: ["sh", "-c", "lint"],
  sha,
  detect: { detector: "sarif", report: "r.sarif" },
  reuse: { as: "sarif-0", forMs: 24 * hour },
};
const output = { exitCode: 0, detected: { findings: [] } };

function scene() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const given = { tree: "t1" as string | BatonError };
  const github = {
    treeSha: async () => {
      if (typeof given.tree !== "string") throw given.tree;
      return given.tree;
    },
  };
  const ask = (input: object = {}, settings: Pick<Settings, "sandbox"> = defaultSettings) =>
    reuseOf({ store, clock }, github, { repository, input: { ...step, ...input } as typeof step, settings });
  return { clock, ask, given };
}

it("the same command over the same tree, in another commit, is used again", async () => {
  const { ask, clock } = scene();
  const first = await ask();
  expect(first?.known).toBeNull();
  await first?.keep(output);
  const at = clock.now();
  clock.advance(hour);
  expect((await ask({ sha: "b".repeat(40) }))?.known).toEqual({ output, at });
});

it.each<[string, (scene_: ReturnType<typeof scene>) => Parameters<ReturnType<typeof scene>["ask"]>]>([
  ["another tree", ({ given }) => ((given.tree = "t2"), [])],
  ["another command", () => [{ command: ["sh", "-c", "lint --fix"] }]],
  ["another report", () => [{ detect: { detector: "sarif", report: "other.sarif" } }]],
  ["another detector", () => [{ detect: { detector: "command", report: "r.sarif" } }]],
  ["another name", () => [{ reuse: { as: "sarif-1", forMs: 24 * hour } }]],
  ["another setup", () => [{}, { sandbox: { ...defaultSettings.sandbox, setup: ["npm ci"] } }]],
  ["a result that is too old", ({ clock }) => (clock.advance(25 * hour), [])],
])("%s runs it", async (_, change) => {
  const given = scene();
  await (await given.ask())?.keep(output);
  expect((await given.ask(...change(given)))?.known).toBeNull();
});

it("another version of Baton runs it", async () => {
  const given = scene();
  await (await given.ask())?.keep(output);
  const { version } = product;
  try {
    Object.assign(product, { version: `${version}-next` });
    expect((await given.ask())?.known).toBeNull();
  } finally {
    Object.assign(product, { version });
  }
  expect((await given.ask())?.known).not.toBeNull();
});

it("a step that does not say so has none, and where the tree may not be read it runs", async () => {
  const { ask, given } = scene();
  expect(await ask({ reuse: undefined })).toBeNull();
  given.tree = new BatonError("BATON_GITHUB_DENIED", "403");
  expect(await ask()).toBeNull();
  given.tree = new BatonError("BATON_GITHUB_UNAVAILABLE", "503");
  await expect(ask()).rejects.toMatchObject({ code: "BATON_GITHUB_UNAVAILABLE" });
});
