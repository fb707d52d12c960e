/** How the programs of a clone start where something is missing. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, expect, it } from "vitest";
import { product } from "../src/core/product.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const clone = mkdtempSync(join(tmpdir(), "baton-clone-"));
afterAll(() => rmSync(clone, { recursive: true, force: true }));
cpSync(join(root, "bin"), join(clone, "bin"), { recursive: true });

it.each([
  ["node bin/baton.js", ["bin/baton.js", "--version"], "src/cli/main.ts", 'import "commander";', "`commander`"],
  [
    "npm run demo",
    ["bin/in-clone.js", "packages/local-github/demo/main.ts"],
    "packages/local-github/demo/main.ts",
    'import "@acme/sums/add";',
    "`@acme/sums`",
  ],
  ["npm start", ["bin/in-clone.js", "src/app/main.ts"], "src/app/main.ts", 'import "../app/deeper.ts";', "`probot`"],
])("a clone without packages says what to do, without a stack: %s", async (_, command, file, text, named) => {
  mkdirSync(dirname(join(clone, file)), { recursive: true });
  writeFileSync(join(clone, file), text);
  writeFileSync(join(clone, dirname(file), "deeper.ts"), 'import "probot";');
  const { exitCode, stderr, stdout } = await execa(process.execPath, command, { cwd: clone, reject: false });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toBe(`The package ${named} is not installed. Run \`npm install\` in ${clone}/ first.`);
});

it("an error of the program itself is shown as it is, and its words arrive", async () => {
  mkdirSync(join(clone, "src/words"), { recursive: true });
  writeFileSync(join(clone, "src/words/main.ts"), "throw new Error(process.argv.slice(2).join());");
  const command = ["bin/in-clone.js", "src/words/main.ts", "--one", "two"];
  const { exitCode, stderr } = await execa(process.execPath, command, { cwd: clone, reject: false });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Error: --one,two");
});

it("`baton --version` needs no package and loads no command", async () => {
  for (const file of ["src/cli/main.ts", "src/core/product.ts"]) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file));
  }
  for (const flag of ["--version", "-V"]) {
    const { stdout } = await execa(process.execPath, ["bin/baton.js", flag], { cwd: clone });
    expect(stdout).toBe(product.version);
  }
  const { stderr } = await execa(process.execPath, ["bin/baton.js", "status"], { cwd: clone, reject: false });
  expect(stderr).toContain("run-here.ts");
});

it("the scripts for people start so", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const name of ["start", "demo"]) expect(scripts[name]).toMatch(/^node bin\/in-clone\.js [\w/-]+\/main\.ts$/);
});
