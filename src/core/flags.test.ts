import { expect, it } from "vitest";
import { readFlags } from "./flags.ts";

const known = {
  json: {},
  story: { value: "NAME", among: ["job", "sweep"] },
  only: { value: "NAME", many: true },
};

it.each([
  [[], {}],
  [["--json"], { json: [""] }],
  [["--story", "sweep", "--json"], { story: ["sweep"], json: [""] }],
  [["--story=job"], { story: ["job"] }],
  [["--only", "a", "--only=b"], { only: ["a", "b"] }],
])("%j is read", (words, flags) => {
  expect(readFlags(words, known)).toEqual({ ok: true, flags });
});

it.each([
  [["--jsno"], "Unknown flag `--jsno`. Did you mean `--json`?"],
  [["-json"], "Unknown flag `-json`. Did you mean `--json`?"],
  [["--stroy=job"], "Unknown flag `--stroy`. Did you mean `--story`?"],
  [["--frobnicate"], "Unknown flag `--frobnicate`."],
  [["json"], "Unexpected word `json`. Did you mean `--json`?"],
  [["--story"], "`--story` needs a value: `--story NAME`."],
  [["--story", "--json"], "`--story` needs a value: `--story NAME`."],
  [["--story", "swep"], "Unknown value `swep` of `--story`. Did you mean `sweep`? Known: job, sweep."],
  [["--json=1"], "`--json` has no value."],
  [["--json", "--json"], "`--json` is there twice."],
  [["--constructor"], "Unknown flag `--constructor`."],
])("%j is refused with a suggestion", (words, wrong) => {
  expect(readFlags(words, known)).toEqual({ ok: false, wrong });
});
