/**
 * `npm run new -- gate|command|harness <name>`: adds a part from its template, with its line in the registry. It compiles
 * and works. Then you change it. `npm run prove -- seams` counts the files, and removes one part at a time.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "../src/core/nearest.ts";

const templates = join(import.meta.dirname, "templates");

interface Part {
  /** Template to file. */
  files(name: string): Record<string, string>;
  registries: readonly Registry[];
}

export interface Registry {
  path: string;
  importLine(name: string, ident: string): string;
  /** The place of the entry: before the first match. */
  before: RegExp;
  entry(name: string, ident: string): string;
}

const harness = "src/adapters/harness";

export const parts: Readonly<Record<string, Part>> = {
  gate: {
    files: (name) => ({ "gate.txt": `src/gate/rules/${name}.ts` }),
    registries: [
      {
        path: "src/gate/rules/index.ts",
        importLine: (name, ident) => `import { ${ident} } from "./${name}.ts";\n`,
        before: /\]\.map\(/,
        entry: (_, ident) => `, ${ident}`,
      },
    ],
  },
  command: {
    files: (name) => ({ "command.txt": `src/commands/${name}.ts` }),
    registries: [
      {
        path: "src/commands/index.ts",
        importLine: (name, ident) => `import { ${ident} } from "./${name}.ts";\n`,
        before: /^ {2}help,\n/m,
        entry: (name, ident) => (name === ident ? `  ${name},\n` : `  "${name}": ${ident},\n`),
      },
    ],
  },
  harness: {
    files: (name) => ({
      "harness-description.txt": `${harness}/${name}/description.ts`,
      "harness-harness.txt": `${harness}/${name}/harness.ts`,
    }),
    registries: [
      {
        path: `${harness}/descriptions.ts`,
        importLine: (name, ident) => `import { ${ident} } from "./${name}/description.ts";\n`,
        before: /, acp, command\]/,
        entry: (_, ident) => `, ${ident}`,
      },
      {
        path: `${harness}/index.ts`,
        importLine: (name, ident) => `import { definition as ${ident} } from "./${name}/harness.ts";\n`,
        before: /^ {2}acp,\n/m,
        entry: (name, ident) => (name === ident ? `  ${name},\n` : `  "${name}": ${ident},\n`),
      },
    ],
  },
};

export function identOf(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The files of a new part by their paths, with the lines of its registries. `read`: a file in its current form. */
export function newPart(kind: string, name: string, read: (path: string) => string): Map<string, string> {
  const part = parts[kind];
  if (part === undefined) {
    const near = nearest(kind, Object.keys(parts));
    const meant = near === null ? "" : ` Did you mean "${near}"?`;
    throw new TypeError(`There is no kind "${kind}".${meant} Known: ${Object.keys(parts).join(", ")}.`);
  }
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`"${name}" is not a name in small letters with hyphens.`);
  const ident = identOf(name);
  const upper = name.toUpperCase().replaceAll("-", "_");
  const files = Object.entries(part.files(name)).map(([template, path]): [string, string] => {
    const text = readFileSync(join(templates, template), "utf8");
    return [path, text.replaceAll("IDENT", ident).replaceAll("UPPER", upper).replaceAll("NAME", name)];
  });
  const lines = part.registries.map((registry): [string, string] => [
    registry.path,
    register(read(registry.path), registry, name, ident),
  ]);
  return new Map([...files, ...lines]);
}

function register(text: string, { path, importLine, before, entry }: Registry, name: string, ident: string): string {
  const at = before.exec(text);
  if (at === null) throw new TypeError(`${path} has no place for "${name}": ${before}.`);
  const withEntry = `${text.slice(0, at.index)}${entry(name, ident)}${text.slice(at.index)}`;
  const first = withEntry.search(/^import /m);
  return `${withEntry.slice(0, first)}${importLine(name, ident)}${withEntry.slice(first)}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = join(import.meta.dirname, "..");
  const [kind = "", name = ""] = process.argv.slice(2);
  const files = newPart(kind, name, (path) => readFileSync(join(root, path), "utf8"));
  const [taken] = [...files.keys()].filter((path) => path.includes(name) && existsSync(join(root, path)));
  if (taken !== undefined) throw new TypeError(`${taken} is there already.`);
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
  console.log("Then: npm run format && npm run generate && npm run typecheck");
}
