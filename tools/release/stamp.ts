/**
 * Writes the repository of a release's build into all files: `node tools/release/stamp.ts owner/name`.
 * The release's commit holds the real addresses. The branch keeps the placeholder (RL1 in `src/core/product.ts`).
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { product } from "../../src/core/product.ts";

/** Images have lower-case names, and so has the scope of npm's packages, which all packages share. */
const lowerCase = new RegExp(`(ghcr\\.io/)${product.repository}`, "g");
const scopeOf = (repository: string): string => `@${repository.split("/")[0]?.toLowerCase()}/`;

/** Lines of documents that a release makes untrue. */
const untilReleased = /^.*<!-- until released -->\n\n?/gm;

export function stamped(path: string, text: string, repository: string): string {
  const named = text
    .replaceAll(untilReleased, "")
    .replaceAll(product.packageName, `@${repository.toLowerCase()}`)
    .replaceAll(scopeOf(product.repository), scopeOf(repository))
    .replaceAll(lowerCase, (_, before: string) => `${before}${repository.toLowerCase()}`)
    .replaceAll(product.repository, repository);
  // Nobody can publish the placeholder by mistake, but a release is public.
  return /(?:^|\/)package\.json$/.test(path) ? named.replace(/^ {2}"private": true,\n/m, "") : named;
}

if (import.meta.main) {
  const [repository = ""] = process.argv.slice(2);
  if (!/^[A-Za-z0-9-]+\/[\w.-]+$/.test(repository)) {
    process.stderr.write(`"${repository}" is not a repository. Usage: node tools/release/stamp.ts owner/name\n`);
    process.exit(2);
  }
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const holders = execFileSync("git", ["grep", "-lzIF", "-e", product.repository, "-e", scopeOf(product.repository)], {
    cwd: root,
    encoding: "utf8",
  });
  for (const path of holders.split("\0").filter((one) => one !== "")) {
    const text = readFileSync(join(root, path), "utf8");
    writeFileSync(join(root, path), stamped(path, text, repository));
  }
}
