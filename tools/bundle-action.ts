/**
 * Builds the Action's bundle: `node tools/bundle-action.ts [directory]`. The same sources give the same bytes. A test builds
 * it again and compares.
 */
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function bundleAction(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: ["src/action/main.ts", "src/action/post.ts"],
    outdir: directory,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    minify: true,
    // Stack traces name functions. Minifying removes only space and invisible names.
    keepNames: true,
    charset: "utf8",
    legalComments: "none",
    splitting: true,
    chunkNames: "shared-[hash]",
    logLevel: "warning",
    // Packages of the older module system call `require`, which a module does not have.
    banner: {
      js: 'import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);',
    },
    metafile: false,
  });
}

if (import.meta.main) await bundleAction(process.argv[2] ?? `${root}/action/dist`);
