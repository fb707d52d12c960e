/**
 * Prepares a release for review: `npm run release:prepare -- 1.2.3`. It writes the version in every place, and gives the
 * unreleased part of CHANGELOG.md its heading. The workflow `release.yml` releases the merged result.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { actionTag, product } from "../../src/core/product.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files that hold the version, each with the text around it. */
const places: Readonly<Record<string, (version: string) => readonly string[]>> = {
  "package.json": (version) => [`"version": "${version}"`],
  "package-lock.json": (version) => [
    `"name": "${product.packageName}",\n  "version": "${version}"`,
    `"name": "${product.packageName}",\n      "version": "${version}"`,
  ],
  "packages/local-github/package.json": (version) => [`"version": "${version}"`],
  "src/core/product.ts": (version) => [`const version = "${version}"`],
  "deploy/compose.yaml": (version) => [`/baton:${version}`],
  "deploy/helm/baton/Chart.yaml": (version) => [`\nversion: ${version}`, `appVersion: ${version}`],
};
export const versionedFiles: readonly string[] = Object.keys(places);

/** The file with the new version. `day` is YYYY-MM-DD. */
export function prepared(path: string, text: string, { version, day }: { version: string; day: string }): string {
  const before = places[path]?.(product.version) ?? [];
  const after = places[path]?.(version) ?? [];
  let result = text.replaceAll(product.action, `${product.repository}/action@${actionTag(version)}`);
  for (const [index, old] of before.entries()) {
    if (!result.includes(old)) throw new Error(`${path} does not hold ${JSON.stringify(old)}.`);
    result = result.replace(old, after[index] as string);
  }
  return path === "CHANGELOG.md"
    ? result.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} (${day})`)
    : result;
}

/** The notes of a version in CHANGELOG.md. null: there are none. */
export function notesOf(changelog: string, version: string): string | null {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => one.startsWith(`${version} `) || one.startsWith(`${version}\n`));
  const notes = section?.slice(section.indexOf("\n")).trim() ?? "";
  return notes === "" ? null : notes;
}

if (import.meta.main) {
  const [version = ""] = process.argv.slice(2);
  if (version === "--notes") {
    const notes = notesOf(readFileSync(join(root, "CHANGELOG.md"), "utf8"), product.version);
    if (notes === null) {
      process.stderr.write(
        `CHANGELOG.md says nothing about ${product.version}. Run \`npm run release:prepare -- ${product.version}\`, then merge it.\n`,
      );
      process.exit(1);
    }
    process.stdout.write(`${notes}\n`);
  } else if (/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) {
    const holders = execFileSync("git", ["grep", "-lzIF", product.action], { cwd: root, encoding: "utf8" }).split("\0");
    const day = new Date().toISOString().slice(0, 10);
    for (const path of new Set([...versionedFiles, ...holders, "CHANGELOG.md"])) {
      if (path === "") continue;
      writeFileSync(join(root, path), prepared(path, readFileSync(join(root, path), "utf8"), { version, day }));
    }
    process.stdout.write("Now run `npm run bundle` and `npm run generate`, and open a pull request.\n");
  } else {
    process.stderr.write(`"${version}" is not a version. Usage: npm run release:prepare -- 1.2.3\n`);
    process.exit(2);
  }
}
