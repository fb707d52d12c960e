/** The packages inside a bundle, by esbuild's own account, with their licenses. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metafile } from "esbuild";

export interface BundledPackage {
  name: string;
  version: string;
  /** The SPDX identifier. */
  license: string;
  /** The files with its text, as the package ships them. */
  texts: readonly string[];
}

export async function bundledPackages(root: string, metafile: Metafile): Promise<BundledPackage[]> {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
      if (match !== null && bytesInOutput > 0) folders.add(match[1] as string);
    }
  const packages = await Promise.all([...folders].map((folder) => describe(join(root, folder))));
  return packages.toSorted((a, b) => order(`${a.name}@${a.version}`, `${b.name}@${b.version}`));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function describe(folder: string): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license?: string | { type: string };
  };
  const files = existsSync(folder) ? await readdir(folder) : [];
  const texts = await Promise.all(
    files
      .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
      .sort()
      .map((file) => readFile(join(folder, file), "utf8")),
  );
  return { name, version, license: typeof license === "string" ? license : (license?.type ?? "unknown"), texts };
}

export function licenseText(packages: readonly BundledPackage[]): string {
  const head = "Baton's JavaScript contains these packages.\n";
  const blocks = packages.map(
    ({ name, version, license, texts }) =>
      `${name} ${version} (${license})\n\n${texts.length === 0 ? "The package ships no license file." : texts.map((text) => text.trim()).join("\n\n")}\n`,
  );
  return [head, ...blocks].join(`\n${"-".repeat(80)}\n\n`);
}

/** CycloneDX 1.6: the contents of the package, and the additions of an installation. */
export function billOfMaterials(
  product: { packageName: string; version: string },
  packages: readonly Pick<BundledPackage, "name" | "version" | "license">[],
): object {
  const purl = (name: string, version: string): string => `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const bomRef = purl(product.packageName, product.version);
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": bomRef,
        name: product.packageName,
        version: product.version,
        purl: bomRef,
      },
    },
    components: packages.map(({ name, version, license }) => ({
      type: "library",
      "bom-ref": purl(name, version),
      name,
      version,
      purl: purl(name, version),
      licenses: [license === "unknown" ? { license: { name: license } } : { expression: license }],
    })),
    dependencies: [{ ref: bomRef, dependsOn: packages.map(({ name, version }) => purl(name, version)) }],
  };
}
