/** No text sends anybody to the npm package `baton`: it belongs to another author, and Baton is not published. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, it } from "vitest";
import { runCli } from "../src/cli/program.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Ways to run or install a package by the bare name. They are split here, so this file does not match itself. */
const runners = [
  String.raw`npx(?:\s+-\S+)*`,
  String.raw`bunx`,
  String.raw`(?:pnpm|yarn|bun)\s+(?:dlx|x|add)`,
  String.raw`npm\s+(?:exec|x|i|install|add)(?:\s+-\S+)*`,
  String.raw`npm\s+exec\s+--package[= ]`,
];
const bare = new RegExp(
  String.raw`(?:${runners.join("|")})\s*['"]?${"bat"}on(?:@[\w.^~-]+)?(?=[\s"'\`)<\].,;]|$)`,
  "m",
);

it.each([
  ["npx", "init"],
  ["npx --yes", "run list"],
  ["npm exec", "init"],
  ["npm install --global", ""],
  ["pnpm dlx", "init"],
  ["bunx", "init"],
])("%s <the bare name> %s would be found", (runner, words) => {
  expect(`Then: \`${runner} ${"bat"}on ${words}\``).toMatch(bare);
  expect(`${runner} ${"bat"}on@1.2 ${words}`).toMatch(bare);
});

it.each([
  "npm run -s baton -- init",
  "node bin/baton.js init",
  "npx vitest run src/baton",
  "npm install ../baton",
  "npx baton-tools",
])("%j would not", (text) => {
  expect(text).not.toMatch(bare);
});

it("no tracked text does", async () => {
  const { stdout } = await execa("git", ["ls-files", "-z"], { cwd: root });
  const files = stdout.split("\0").filter((path) => path !== "" && !/^test\/fixtures\/|\.(?:png|tgz)$/.test(path));
  expect(files.length).toBeGreaterThan(300);
  const found = files.flatMap((path) => {
    const match = bare.exec(readFileSync(`${root}/${path}`, "utf8"));
    return match === null ? [] : [`${path}: ${match[0]}`];
  });
  expect(found).toEqual([]);
});

it("nor the help of the program", async () => {
  let out = "";
  const context = { environment: {}, directory: root, print: (text: string) => (out += text), note: () => {} };
  for (const words of [["--help"], ["init", "--help"], ["harness", "doctor", "--help"]]) await runCli(words, context);
  expect(out).toContain("init");
  expect(out).not.toMatch(bare);
});
