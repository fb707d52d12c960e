/** Only the child port, the command line, the demo and the local GitHub may start programs by themselves. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { children } from "./children.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const allowed = /^src\/(?:adapters\/child|cli|demo|local-github)\//;
/** Static, dynamic, required or asked of the process: each form has the module's name as a string. */
const starts = /["'`](?:execa|(?:node:)?(?:child_process|cluster))["'`]/;
/** An ES module has no `require`. Such a line is the text of a program that runs inside the sandbox. */
const inert = /\brequire\(["'`](?:execa|(?:node:)?(?:child_process|cluster))["'`]\)/g;

/** Whether a module's source can start a program by itself. */
function canStart(source: string): boolean {
  return starts.test(source.includes("createRequire") ? source : source.replace(inert, ""));
}

it("the source names no other way to start a program", () => {
  const files = ["src", "processes"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  );
  const sources = files.filter((path) => /\.[cm]?[jt]sx?$/.test(path) && !path.endsWith(".test.ts"));
  expect(sources.length).toBeGreaterThan(100);
  const starting = sources.filter((path) => canStart(readFileSync(join(root, path), "utf8")));
  expect(starting.filter((path) => !allowed.test(path))).toEqual([]);
  expect(starting).toContain("src/adapters/child/launcher.ts");
});

it.each([
  ['import { spawn } from "node:child_process";', true],
  ["const { execa } = await import(`execa`);", true],
  ['const m = process.getBuiltinModule("child_process");', true],
  ['const require = createRequire(import.meta.url);\nrequire("node:child_process");', true],
  ['const source = `const { spawn } = require("node:child_process");`;', false],
  ['const source = `require("node:child_process")`;\nawait import("node:child_process");', true],
])("%j: can start a program: %s", (source, expected) => {
  expect(canStart(source)).toBe(expected);
});

it("the linter refuses it, and pure folders keep their own restriction", async () => {
  const directory = mkdtempSync(join(tmpdir(), "baton-lint-"));
  try {
    const files = {
      "src/app/one.ts": ["execa", "node:child_process", "node:fs"],
      "src/core/one.ts": ["execa", "node:fs", "../adapters/child/children.ts"],
      "processes/one.ts": ["child_process"],
      "src/app/one.test.ts": ["execa", "node:child_process"],
      "src/cli/one.ts": ["execa"],
      "src/adapters/child/one.ts": ["execa"],
    };
    for (const [path, modules] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      const lines = modules.map((name, index) => `import * as m${index} from "${name}";\nvoid m${index};`);
      writeFileSync(join(directory, path), lines.join("\n"));
    }
    cpSync(join(root, ".oxlintrc.json"), join(directory, ".oxlintrc.json"));
    const { stdout } = await children.call({
      command: [process.execPath, join(root, "node_modules/oxlint/bin/oxlint"), "--format", "json", "src", "processes"],
      cwd: directory,
      env: { PATH: process.env["PATH"] ?? "" },
      timeoutMs: 60_000,
      outputBytesMax: 1_000_000,
    });
    const { diagnostics } = JSON.parse(stdout.toString("utf8")) as {
      diagnostics: { code: string; filename: string }[];
    };
    const refused = diagnostics.filter(({ code }) => code.includes("no-restricted-imports"));
    expect(refused.map(({ filename }) => filename).sort()).toEqual([
      "processes/one.ts",
      "src/app/one.ts",
      "src/app/one.ts",
      "src/core/one.ts",
      "src/core/one.ts",
      "src/core/one.ts",
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
