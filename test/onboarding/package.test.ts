/** The installed program in a repository that is not Baton's: the package as npm puts it there, where Node runs no TypeScript. */
import { generateKeyPairSync } from "node:crypto";
import {
  cpSync,
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
import { bundleCli } from "../../tools/bundle-cli.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-package-")));
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));

it("sets a repository up with nothing but what the package holds", async () => {
  const packed = join(directory, "node_modules", "baton");
  await bundleCli(join(packed, "dist", "cli"));
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  for (const path of [
    "package.json",
    ...files.filter((one) => !["dist", "src", "processes"].includes(one) && !one.startsWith("!")),
  ]) {
    mkdirSync(dirname(join(packed, path)), { recursive: true });
    cpSync(join(root, path), join(packed, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(packed, "node_modules"));
  writeFileSync(join(directory, "index.ts"), "");
  writeFileSync(join(directory, ".gitignore"), "node_modules/\n");
  await execa("git", ["init", "-q"], { cwd: directory });
  const baton = (...words: string[]) =>
    execa(process.execPath, [join(packed, "bin", "baton.js"), ...words], { cwd: directory, reject: false });

  const { exitCode, stdout, stderr } = await baton("init");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain("| Languages | TypeScript (1) |");
  expect(readFileSync(join(directory, ".github/workflows/baton.yml"), "utf8")).toContain("issue_comment");
  expect(await baton("config", "check")).toMatchObject({ exitCode: 0 });
  // The database's part of the program loads, too.
  expect(await baton("run", "list")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("no data of Baton"),
  });
  expect(await baton("harness", "list")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("claude-code") });

  // So does the application, from where `exports` says.
  const { exports } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as {
    exports: Record<string, string>;
  };
  const probot = join(root, "node_modules/probot/bin/probot.js");
  const app = join(packed, exports["./probot-app"] as string);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const started = await execa(process.execPath, [probot, "run", app], {
    cwd: directory,
    env: {
      APP_ID: "1",
      PRIVATE_KEY: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
      WEBHOOK_SECRET: "secret",
      BATON_SANDBOX: "perhaps",
    },
    reject: false,
  });
  expect(started).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('BATON_SANDBOX is "perhaps"') });
});
