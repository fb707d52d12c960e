/**
 * The suite `seams`: in a copy of the source, it adds a gate, a command and a harness from their templates. It uses `npm run
 * new` and counts files. Then it removes one part at a time. The compiler must name the missing part, or `knip` must name
 * the unused file.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { newPart } from "../../tools/new.ts";
import type { Suite } from "./suite.ts";

const root = join(import.meta.dirname, "../..");
const copied = ["src", "processes", "tools", "schemas", "docs", "package.json", "tsconfig.json", ".oxlintrc.json"];
const configs = ["knip.jsonc", "knip.production.jsonc"];

/** The most files that a new part may touch. A folder counts once, and so does a registry. */
const filesMax: Readonly<Record<string, number>> = { gate: 2, command: 2, harness: 3 };

/** Required parts of a definition, by file. Without one, it must not compile. */
const required: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  gate: { "": ["name", "summary", "options", "needs", "evaluate"] },
  command: { "": ["name", "usage", "summary", "handle"] },
  harness: {
    "description.ts": [
      "name",
      "title",
      "provider",
      "keys",
      "program",
      "npmPackage",
      "testedVersion",
      "tiers",
      "capabilities",
      "tools",
      "selfReporting",
    ],
    "harness.ts": ["giveUp", "take", "end", "create"],
  },
};

interface Missing {
  what: string;
  /** A file that the compiler's message must name. With `tool: "knip"`: the unused file. */
  in: string;
  tool: "tsc" | "knip";
}

export const seams: Suite = {
  name: "seams",
  summary: "A gate, a command and a harness are one file or folder and a line each; a part that is left out is named.",
  flags: [],
  async prove({ say }) {
    const directory = mkdtempSync(join(tmpdir(), "baton-seams-"));
    try {
      for (const name of [...copied, ...configs]) cpSync(join(root, name), join(directory, name), { recursive: true });
      symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
      // Tests stay out, because they need the whole repository.
      const compilerOptions = { tsBuildInfoFile: "./seams.tsbuildinfo" };
      const program = {
        extends: "./tsconfig.json",
        compilerOptions,
        include: ["src", "processes"],
        exclude: ["**/*.test.ts"],
      };
      writeFileSync(join(directory, "tsconfig.seams.json"), JSON.stringify(program));
      const place = new Place(directory);
      say("adding a gate, a command and a harness");
      const counts = Object.fromEntries(Object.keys(filesMax).map((kind) => [kind, place.add(kind, `sample-${kind}`)]));
      await place.run("node", ["tools/generate.ts"]);
      const whole = await place.compile();
      say(`with all of them the compiler says ${whole === "" ? "nothing" : whole.slice(0, 500)}`);
      say("leaving out one line at a time");
      const lines = await place.leaveOutLines();
      const missing = [...place.leaveOutFields(), ...place.leaveOutFiles(), ...place.leaveOutAll()];
      say(`leaving out ${missing.length} other parts`);
      const said = {
        tsc: await place.compile(),
        knip: await place.run("npx", ["knip", "--production", "--config", "knip.production.jsonc"]),
      };
      const unnamed = [
        ...lines.filter(({ named }) => !named).map(({ what }) => what),
        ...missing.filter((one) => !said[one.tool].includes(one.in)).map(({ what }) => what),
      ];
      const many = Object.entries(counts).filter(([kind, count]) => count > (filesMax[kind] ?? 0));
      const held = whole === "" && unnamed.length === 0 && many.length === 0;
      return { held, result: { files: counts, leftOut: lines.length + missing.length, unnamed } };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** A copy of the source, and additions to it. */
class Place {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The number of files or folders that it touches. */
  add(kind: string, name: string, change: (path: string, text: string) => string | null = (_, text) => text): number {
    const files = newPart(kind, name, (path) => this.#read(path));
    for (const [path, text] of files) {
      const changed = change(path, text);
      if (changed !== null) this.#write(path, changed);
    }
    return new Set([...files.keys()].map((path) => path.replace(/(src\/adapters\/harness\/[a-z0-9-]+)\/.*/, "$1")))
      .size;
  }

  leaveOutFields(): Missing[] {
    return Object.entries(required).flatMap(([kind, files]) =>
      Object.entries(files).flatMap(([file, fields]) =>
        fields.map((field): Missing => {
          const name = `${kind}-without-${kebab(file.replace(/\.ts$/, ""))}${kebab(field)}`;
          let found = "";
          this.add(kind, name, (path, text) => {
            if (!path.includes(name) || !path.endsWith(file)) return text;
            found = path;
            return withoutField(text, field);
          });
          return { what: `${kind}: ${field}`, in: found, tool: "tsc" };
        }),
      ),
    );
  }

  /** Registered, but missing. */
  leaveOutFiles(): Missing[] {
    return Object.keys(required).map((kind): Missing => {
      const name = `${kind}-without-file`;
      this.add(kind, name, (path, text) => (path.includes(name) ? null : text));
      return { what: `${kind}: its file`, in: `'./${name}`, tool: "tsc" };
    });
  }

  /** Existing, but in no list: a file that nobody imports. */
  leaveOutAll(): Missing[] {
    return Object.keys(required).map((kind): Missing => {
      const name = `${kind}-without-line`;
      this.add(kind, name, (path, text) => (path.includes(name) ? text : null));
      return { what: `${kind}: every line`, in: fileOf(kind, name), tool: "knip" };
    });
  }

  /** In one list, but not in the other. Each compiles by itself, because one fault of a list hides the next. */
  async leaveOutLines(): Promise<{ what: string; named: boolean }[]> {
    const done: { what: string; named: boolean }[] = [];
    const names = "src/config/command-names.ts";
    const lines = [
      { kind: "harness", left: "src/adapters/harness/index.ts" },
      { kind: "harness", left: "src/adapters/harness/descriptions.ts" },
      { kind: "command", left: "src/commands/index.ts" },
    ];
    for (const { kind, left } of lines) {
      const name = `${kind}-without-entry`;
      const kept = new Map(
        [...newPart(kind, name, (path) => this.#read(path)).keys(), names].map((path) => [path, path]),
      );
      for (const path of kept.keys()) kept.set(path, path.includes(name) ? "" : this.#read(path));
      this.add(kind, name, (path, text) => (path === left ? null : text));
      // Names that were generated while its line existed.
      if (kind === "command") this.#write(names, this.#read(names).replace("] as const", `  "${name}",\n] as const`));
      done.push({ what: `${kind}: its line in ${left}`, named: (await this.compile()).includes(name) });
      for (const [path, text] of kept)
        if (path.includes(name)) rmSync(join(this.#directory, path), { force: true });
        else this.#write(path, text);
    }
    return done;
  }

  compile(): Promise<string> {
    return this.run("npx", ["tsc", "-p", "tsconfig.seams.json"]);
  }

  /** Its output. Empty: it has nothing to report. */
  run(program: string, words: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      execFile(program, words, { cwd: this.#directory, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve(error === null ? "" : `${stdout}${stderr}`);
      });
    });
  }

  #read(path: string): string {
    return readFileSync(join(this.#directory, path), "utf8");
  }

  #write(path: string, text: string): void {
    mkdirSync(dirname(join(this.#directory, path)), { recursive: true });
    writeFileSync(join(this.#directory, path), text);
  }
}

function fileOf(kind: string, name: string): string {
  if (kind === "harness") return `src/adapters/harness/${name}/harness.ts`;
  return kind === "gate" ? `src/gate/rules/${name}.ts` : `src/commands/${name}.ts`;
}

function kebab(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The text without one field of its object or class, found by indentation. */
export function withoutField(text: string, field: string): string {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => new RegExp(`^ {2}${field}\\b[:(, ]`).test(line));
  if (from < 0) throw new TypeError(`There is no field ${field} in the template.`);
  const isBlock = /[{[(]$/.test(lines[from] ?? "");
  const to = isBlock ? lines.findIndex((line, at) => at > from && /^ {2}[}\])]/.test(line)) : from;
  return [...lines.slice(0, from), ...lines.slice(to + 1)].join("\n");
}
