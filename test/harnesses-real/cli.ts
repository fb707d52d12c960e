/**
 * Real CLIs at pinned versions, outside the project's dependencies: `node_modules/.cache/harnesses/<package>@<version>`.
 * Existing ones are used unchanged. Missing ones are installed by npm. Without a registry, there is an error that says so.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { claudeCode } from "../../src/adapters/harness/claude-code/description.ts";
import { codex } from "../../src/adapters/harness/codex/description.ts";
import { copilot } from "../../src/adapters/harness/copilot/description.ts";
import type { CliDescription } from "../../src/adapters/harness/description.ts";
import { gemini } from "../../src/adapters/harness/gemini/description.ts";
import { opencode } from "../../src/adapters/harness/opencode/description.ts";
import { pi } from "../../src/adapters/harness/pi/description.ts";

interface PinnedCli {
  package: string;
  version: string;
  binary: string;
}

const pinned = ({ npmPackage, testedVersion, program }: CliDescription): PinnedCli => ({
  package: npmPackage,
  version: testedVersion,
  binary: program.name,
});

export const pinnedClis = {
  "claude-code": pinned(claudeCode),
  codex: pinned(codex),
  copilot: pinned(copilot),
  gemini: pinned(gemini),
  opencode: pinned(opencode),
  pi: pinned(pi),
} as const satisfies Record<string, PinnedCli>;

export type CliName = keyof typeof pinnedClis;

/** The CLIs of this run: all, or those that BATON_TEST_HARNESSES names, separated by commas. */
export function chosenClis(): CliName[] {
  return wantedClis().filter((name) => !optional || existsSync(cliPath(name)));
}

export function wantedClis(): CliName[] {
  const all = Object.keys(pinnedClis) as CliName[];
  const wanted = process.env["BATON_TEST_HARNESSES"]?.split(",").map((name) => name.trim());
  return all.filter((name) => wanted?.includes(name) ?? true);
}

/** `.ci/run` sets it: a CLI that cannot be installed is reported and left out, not failed. */
export const optional = process.env["BATON_TEST_HARNESSES_OPTIONAL"] === "1";

const cacheRoot = fileURLToPath(new URL("../../node_modules/.cache/harnesses", import.meta.url));
const installTimeoutMs = 300_000;

export function cliPath(name: CliName): string {
  const { binary } = pinnedClis[name];
  return join(folderOf(name), "node_modules", ".bin", binary);
}

function folderOf(name: CliName): string {
  const { package: packageName, version } = pinnedClis[name];
  return join(cacheRoot, `${packageName.replace("/", "+")}@${version}`);
}

/** Installs into a temporary folder and renames it, so that an interrupted install never passes for a complete one. */
export async function installCli(name: CliName): Promise<{ path: string; installed: boolean }> {
  const path = cliPath(name);
  if (existsSync(path)) return { path, installed: false };
  const { package: packageName, version } = pinnedClis[name];
  const beside = `${folderOf(name)}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  try {
    writeFileSync(join(beside, "package.json"), '{"private":true}\n');
    const npm = await execa("npm", ["install", "--no-audit", "--no-fund", "--no-save", `${packageName}@${version}`], {
      cwd: beside,
      reject: false,
      timeout: installTimeoutMs,
    });
    if (npm.exitCode !== 0) {
      const offline = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|network|registry/i.test(npm.stderr);
      const why = offline ? "The npm registry cannot be reached, or refuses" : "npm failed";
      throw new Error(`${packageName}@${version} is not installed. ${why}: ${npm.stderr.slice(-600)}`);
    }
    rmSync(folderOf(name), { recursive: true, force: true });
    renameSync(beside, folderOf(name));
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return { path, installed: true };
}
