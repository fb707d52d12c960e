/**
 * Images and actions that a release uses or ships are pinned: an image by its digest, an action by its commit. Names can move.
 * `node tools/release/pins.ts` fails for every name without one. The branch may hold names, because a digest comes from the
 * registry. A release may not.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { product } from "../../src/core/product.ts";

const files = ["deploy/*", ".github/workflows/*"];
/** A release builds this one itself. */
const own = `ghcr.io/${product.repository.toLowerCase()}`;
const reference = "([a-z0-9][\\w./-]*(?::[\\w.-]+)?(?:@sha256:[0-9a-f]{64})?)";
const images = new RegExp(
  `^(?:FROM|# syntax=|\\s*(?:- )?image:)\\s*["']?${reference}["']?(?:\\s+AS\\s+\\w+)?\\s*$`,
  "gim",
);
const actions = /^\s*(?:- )?uses:\s*([^\s@]+@\S+)/gm;

/** The references of a file that can come to mean something else. */
export function unpinned(text: string): string[] {
  const named = [...text.matchAll(images)].flatMap(([, image = ""]) => {
    const stages = [...text.matchAll(/^FROM\s+\S+\s+AS\s+(\w+)\s*$/gim)].map(([, stage]) => stage);
    return image.includes("@sha256:") || image.startsWith(own) || stages.includes(image) ? [] : [image];
  });
  const used = [...text.matchAll(actions)].flatMap(([, action = ""]) =>
    /@[0-9a-f]{40}$/.test(action) || action.startsWith("./") ? [] : [action],
  );
  return [...new Set([...named, ...used])];
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const paths = execFileSync("git", ["ls-files", "-z", ...files], { cwd: root, encoding: "utf8" }).split("\0");
  const found = paths
    .filter((path) => path !== "")
    .flatMap((path) => unpinned(readFileSync(join(root, path), "utf8")).map((name) => `${path}: ${name}`));
  for (const line of found) process.stderr.write(`${line} is not pinned.\n`);
  if (found.length > 0)
    process.stderr.write(
      "Write an image as `name:tag@sha256:…`. `docker buildx imagetools inspect name:tag` prints the digest. Write an action as `owner/name@<commit>`.\n",
    );
  process.exitCode = found.length === 0 ? 0 : 1;
}
