/**
 * Builds the contents of `npm pack`: `node tools/bundle-package.ts [directory]`. `npm pack` runs it, and an install from git
 * does too.
 *
 * Owns: programs and library as JavaScript with types, the licenses, and the bill of materials of the included packages.
 * Does not own: the Action's bundle (`bundle-action.ts`).
 * BP1 Packages are inside, so an installation is small, quick and tested. Only Zod and PGlite stay outside. Process authors
 *     pass schemas of their own Zod, and a server does not need PGlite.
 * BP2 The JavaScript is in `dist/js`, two folders below the package's root, as `src/<folder>` is. The code finds other files
 *     from there.
 */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { product } from "../src/core/product.ts";
import { billOfMaterials, bundledPackages, licenseText } from "./release/bundled-packages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const entryPoints = {
  main: "src/cli/main.ts",
  "probot-app": "src/app/probot-app.ts",
  index: "src/index.ts",
  library: "src/library.ts",
};

export function bundleJavaScript(directory: string): Promise<void> {
  return bundleFor(entryPoints, directory, ["zod", "@electric-sql/pglite", "pg-native"]);
}

/** Bundles programs with their packages, licenses and bill of materials. `external` packages stay outside. */
export async function bundleFor(
  entries: Readonly<Record<string, string>>,
  directory: string,
  external: readonly string[],
): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: directory,
    bundle: true,
    external: [...external],
    inject: [join(root, "tools/release/disposable-stack.ts")],
    platform: "node",
    target: "node22",
    format: "esm",
    minifyWhitespace: true,
    charset: "utf8",
    legalComments: "none",
    splitting: true,
    chunkNames: "[name]-[hash]",
    logLevel: "warning",
    metafile: true,
    // Packages of the older module system use these names, which a module does not have.
    banner: {
      js: 'import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url), __dirname = import.meta.dirname;',
    },
  });
  const packages = await bundledPackages(root, metafile);
  await writeFile(join(directory, "third-party-licenses.txt"), licenseText(packages));
  await writeFile(
    join(directory, "../sbom.cdx.json"),
    `${JSON.stringify(billOfMaterials(product, packages), null, 2)}\n`,
  );
}

/** `.d.ts` files name their neighbors with `.ts`. A compiler needs an option to read that. */
async function writeTypes(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  const tsc = join(root, "node_modules/.bin/tsc");
  await promisify(execFile)(tsc, ["-p", join(root, "tsconfig.types.json"), "--outDir", directory]).catch(
    ({ stdout }: { stdout: string }) => {
      throw new Error(`The types are not right:\n${stdout}`);
    },
  );
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll(/((?:from|import)[ (]?"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
  }
}

if (import.meta.main) {
  const directory = process.argv[2] ?? join(root, "dist");
  await mkdir(directory, { recursive: true });
  await Promise.all([bundleJavaScript(join(directory, "js")), writeTypes(join(directory, "types"))]);
}
