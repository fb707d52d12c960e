/** The installed program in another repository: the package as npm installs it, where Node runs no TypeScript. */
import { generateKeyPairSync } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { product } from "../../src/core/product.ts";
import { bundleJavaScript } from "../../tools/bundle-package.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-package-")));
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));

interface Manifest {
  files: string[];
  exports: Record<string, { default: string }>;
  dependencies: Record<string, string>;
}

it("sets a repository up, imports and starts with nothing but what the package holds and its one dependency", async () => {
  const modules = join(directory, "node_modules");
  const packed = join(modules, product.packageName);
  await bundleJavaScript(join(packed, "dist/js"));
  const { files, exports, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  for (const path of ["package.json", ...files.filter((one) => one !== "dist")]) {
    mkdirSync(dirname(join(packed, path)), { recursive: true });
    cpSync(join(root, path), join(packed, path), { recursive: true });
  }
  // The optional database is left out.
  expect(Object.keys(dependencies)).toEqual(["zod"]);
  symlinkSync(join(root, "node_modules/zod"), join(modules, "zod"));
  writeFileSync(join(directory, "index.ts"), "");
  writeFileSync(join(directory, ".gitignore"), "node_modules/\n");
  await execa("git", ["init", "-q"], { cwd: directory });
  const node = (...words: string[]) => execa(process.execPath, words, { cwd: directory, reject: false });
  const baton = (...words: string[]) => node(join(packed, "bin", "baton.js"), ...words);

  expect(await baton("--version")).toMatchObject({ exitCode: 0, stdout: product.version, stderr: "" });
  const { exitCode, stdout, stderr } = await baton("init");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain("| Languages | TypeScript (1) |");
  expect(readFileSync(join(directory, ".github/workflows/baton.yml"), "utf8")).toContain("issue_comment");
  expect(await baton("config", "check")).toMatchObject({ exitCode: 0 });
  expect(await baton("run", "list")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("no data of Baton"),
  });
  expect(await baton("harness", "list")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("claude-code") });
  expect(await baton("demo", "--no-serve")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`npm install ${product.localGitHubPackage}@${product.version}`),
  });

  // Importing the library needs no database.
  const doors = ["", "/library"].map((door) => `await import("${product.packageName}${door}")`).join(", ");
  const imported = `const [authors, library] = [${doors}]; console.log(typeof authors.defineProcess, typeof library.startBaton)`;
  expect(await node("--input-type=module", "-e", imported)).toMatchObject({ stdout: "function function", stderr: "" });

  // The same for the application, at the path from `exports`.
  const probot = join(root, "node_modules/probot/bin/probot.js");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const started = await execa(
    process.execPath,
    [probot, "run", join(packed, exports["./probot-app"]?.default as string)],
    {
      cwd: directory,
      env: {
        APP_ID: "1",
        PRIVATE_KEY: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
        WEBHOOK_SECRET: "secret",
        BATON_SANDBOX: "perhaps",
      },
      reject: false,
    },
  );
  expect(started).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('BATON_SANDBOX is "perhaps"') });
});

it("names built files only, each of which is packed", () => {
  const { files, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  const targets = Object.values(exports).flatMap((target) => (typeof target === "string" ? [] : Object.values(target)));
  expect(targets).toHaveLength(6);
  for (const target of targets) expect(target).toMatch(/^\.\/dist\/(?:js\/[\w-]+\.js|types\/[\w/-]+\.d\.ts)$/);
  for (const path of files.filter((one) => one !== "dist")) expect(existsSync(join(root, path)), path).toBe(true);
});
