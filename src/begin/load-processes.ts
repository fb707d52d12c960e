/**
 * Processes of a repository: Baton's own, then those of `.github/baton/processes` at one commit of the base branch.
 *
 * Owns: finding them, and the texts with which a run of one begins. Does not own: the rules for a file
 * (`workflow/parse.ts`).
 * LP1 Baton's own come first. Baton never reads a file with such a name as a process.
 * LP2 Baton reads texts at the commit of the settings, never from a head or a fork (Y1).
 */
import { z } from "zod";
import { sha256 } from "../adapters/system/sha256.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { unknownInput } from "../config/sense.ts";
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import { shapeOf } from "../process/pipeline.ts";
import type { ProcessDefinition, ProcessRegistry, ProcessSource } from "../process/process.ts";
import type { Shape } from "../process/schema-fit.ts";
import type { KnownProcess, KnownProcesses } from "../workflow/check.ts";
import { compileSource } from "../workflow/compile.ts";
import { type ParsedProcess, parseProcess } from "../workflow/parse.ts";
import type { ProcessFile } from "../workflow/schema.ts";
import { shapeOfType } from "../workflow/scope.ts";

export const processFolder = ".github/baton/processes";
const filesMax = 50;
/** The most bytes of all texts of a run together, because its first event holds them. */
const textsMax = 256 * 1024;
const extension = ".yaml";

export interface FoundProcess {
  definition: ProcessDefinition;
  /** null: Baton's own. */
  file: ProcessFile | null;
}

export interface CheckedFile {
  name: string;
  path: string;
  text: string;
  parsed: ParsedProcess;
}

export function processPath(name: string): string {
  return `${processFolder}/${name}${extension}`;
}

/** Reads the files of one commit, each once. */
export class RepositoryProcesses {
  readonly #registry: ProcessRegistry;
  readonly #github: Pick<Github, "file" | "directory">;
  readonly #repository: Repository;
  /** null: there is no commit to read. */
  readonly #sha: string | null;
  #names: Promise<string[]> | null = null;
  readonly #texts = new Map<string, Promise<string | null>>();

  constructor(
    registry: ProcessRegistry,
    github: Pick<Github, "file" | "directory">,
    repository: Repository,
    sha: string | null,
  ) {
    this.#registry = registry;
    this.#github = github;
    this.#repository = repository;
    this.#sha = sha;
  }

  /** Names of files with any contents, including files whose name one of Baton's own processes has. */
  fileNames(): Promise<string[]> {
    this.#names ??= this.#list();
    return this.#names;
  }

  /** null: no process has this name. A file with problems throws BATON_PROCESS_INVALID with its lines. */
  async find(name: string): Promise<FoundProcess | null> {
    if (this.#registry.names().includes(name)) return { definition: this.#registry.latest(name), file: null };
    if (!(await this.fileNames()).includes(name)) return null;
    const checked = await this.check(name);
    const used = await this.#used(name);
    const broken = [checked, ...used].find(({ parsed }) => !parsed.ok);
    if (broken !== undefined || !checked.parsed.ok) {
      const { path, parsed } = broken ?? checked;
      throw new BatonError(
        "BATON_PROCESS_INVALID",
        `\`${path}\` has errors:\n\n${problemLines(path, parsed.problems)}`,
      );
    }
    const uses = used.map((one) => ({ name: one.name, path: one.path, hash: sha256(one.text), text: one.text }));
    const { path, text } = checked;
    const length = uses.reduce((sum, one) => sum + one.text.length, text.length);
    if (length > textsMax)
      throw new BatonError(
        "BATON_PROCESS_INVALID",
        `\`${path}\` and what it uses have ${length} characters; at most ${textsMax} are read.`,
      );
    const source: ProcessSource = { path, hash: sha256(text), text, uses };
    return { definition: compileSource(name, source), file: checked.parsed.file };
  }

  /** For an unknown name: the names that exist. */
  async unknown(name: string): Promise<BatonError> {
    const names = [...this.#registry.names(), ...(await this.fileNames())];
    const meant = nearest(name, names);
    const files = this.#sha === null ? [] : await this.#github.directory(this.#repository, processFolder, this.#sha);
    const hint = files.includes(`${name}.yml`)
      ? ` \`${processFolder}/${name}.yml\` is not read; name it \`${processPath(name)}\`.`
      : files.includes(`${name}${extension}`)
        ? ` \`${processPath(name)}\` is not read: Baton reads the first ${filesMax} files by name.`
        : "";
    const list = names.map((one) => `\`${one}\``).join(", ");
    return new BatonError(
      "BATON_PROCESS_UNKNOWN",
      `There is no process \`${name.slice(0, 60).replaceAll("`", "")}\`.${meant === null ? "" : ` Did you mean \`${meant}\`?`}${hint} There are: ${list}.`,
    );
  }

  /** Checks an existing file and lists all its problems, even if a process of Baton has the same name. */
  async check(name: string): Promise<CheckedFile> {
    const path = processPath(name);
    const text = (await this.#text(name)) ?? "";
    if (this.#registry.names().includes(name))
      return {
        name,
        path,
        text,
        parsed: failed(`\`${name}\` is a process of Baton's own; give the file another name.`),
      };
    if (!/^[a-z][a-z0-9-]{0,59}$/.test(name))
      return {
        name,
        path,
        text,
        parsed: failed("The name of a process is of lower-case letters, digits and -, beginning with a letter."),
      };
    const first = parseProcess(text, null);
    if (!first.ok) return { name, path, text, parsed: first };
    const circle = await this.#circle(name, [name], new Set());
    if (circle !== null)
      return {
        name,
        path,
        text,
        parsed: failed(`Processes use each other in a circle: ${circle.map((one) => `\`${one}\``).join(" uses ")}.`),
      };
    return { name, path, text, parsed: parseProcess(text, await this.#known(first.file)) };
  }

  async #list(): Promise<string[]> {
    if (this.#sha === null) return [];
    const files = await this.#github.directory(this.#repository, processFolder, this.#sha);
    const names = files.filter((file) => file.endsWith(extension)).map((file) => file.slice(0, -extension.length));
    return names.toSorted().slice(0, filesMax);
  }

  #text(name: string): Promise<string | null> {
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    const read =
      this.#sha === null ? Promise.resolve(null) : this.#github.file(this.#repository, processPath(name), this.#sha);
    this.#texts.set(name, read);
    return read;
  }

  async #usesOf(name: string): Promise<string[]> {
    if (this.#registry.names().includes(name) || !(await this.fileNames()).includes(name)) return [];
    const parsed = parseProcess((await this.#text(name)) ?? "", null);
    return parsed.ok ? [...new Set(parsed.file.steps.flatMap(({ uses }) => uses ?? []))] : [];
  }

  async #circle(name: string, path: string[], done: Set<string>): Promise<string[] | null> {
    for (const used of await this.#usesOf(name)) {
      if (path.includes(used)) return [...path.slice(path.indexOf(used)), used];
      const found = done.has(used) ? null : await this.#circle(used, [...path, used], done);
      if (found !== null) return found;
    }
    done.add(name);
    return null;
  }

  /** Checks all files that a file uses, directly or through others. */
  async #used(name: string): Promise<CheckedFile[]> {
    const found = new Map<string, CheckedFile>();
    const open = await this.#usesOf(name);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next) || next === name) continue;
      if (this.#registry.names().includes(next) || !(await this.fileNames()).includes(next)) continue;
      found.set(next, await this.check(next));
      open.push(...(await this.#usesOf(next)));
    }
    return [...found.values()];
  }

  /** Processes that `uses` may name. Baton reads only those that this file names. */
  async #known(file: ProcessFile): Promise<KnownProcesses> {
    const wanted = new Set(file.steps.flatMap(({ uses }) => uses ?? []));
    const known = new Map<string, KnownProcess>();
    if (wanted.size === 0) return known;
    for (const name of this.#registry.names()) known.set(name, knownCode(this.#registry.latest(name)));
    for (const name of await this.fileNames()) {
      if (known.has(name)) continue;
      const parsed = wanted.has(name) ? parseProcess((await this.#text(name)) ?? "", null) : null;
      known.set(name, parsed?.ok === true ? knownFile(parsed.file) : { input: {}, output: {} });
    }
    return known;
  }
}

/** One line for each problem, with its place and a guess of the intended word. */
function problemLines(path: string, problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ line, column, message, suggestion }) => {
      const meant = suggestion === null ? "" : ` Did you mean \`${suggestion}\`?`;
      return `- ${path}:${line}:${column}: ${message}${meant}`;
    })
    .join("\n");
}

function failed(message: string): ParsedProcess {
  return { ok: false, problems: [{ line: 1, column: 1, path: "", message, suggestion: null, severity: "error" }] };
}

/** A process in code gets the facts of the run itself, so `with` does not need to give its input. */
function knownCode({ input, output }: ProcessDefinition): KnownProcess {
  const { properties } = shapeOf(input, "input");
  const taken: Shape = properties === undefined ? {} : { type: "object", properties, additionalProperties: false };
  return { input: taken, output: shapeOf(output, "output") };
}

function knownFile({ inputs, outputs }: ProcessFile): KnownProcess {
  const taken = Object.entries(inputs);
  const given = Object.entries(outputs).map(([name, output]): [string, Shape] => [
    name,
    typeof output === "string" || output.schema === undefined ? {} : shapeOfType(output.schema),
  ]);
  const map = (properties: [string, Shape][], required: string[]): Shape => ({
    type: "object",
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  });
  return {
    input: map(
      taken.map(([name, type]) => [name, shapeOfType(type)]),
      taken.filter(([, type]) => type.default === undefined).map(([name]) => name),
    ),
    output: map(
      given,
      given.map(([name]) => name),
    ),
  };
}

const scalar = z.union([z.number(), z.boolean()]);

/** `key=value` words behind the name of a process are inputs if the process has them. The rest is free text. */
const inputPattern = /^([A-Za-z][\w-]*)=(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S*))(?:\s+|$)/;

/**
 * Refuses `name=value` at the start of the instructions if the process has no such input. It is a slip, or an input of
 * another process.
 */
export function refuseInputs(text: string, known: readonly string[]): void {
  const name = inputPattern.exec(text.trimStart())?.[1];
  if (name === undefined) return;
  const meant = nearest(name, known);
  const has = known.length === 0 ? "It has no inputs." : `Its inputs are: ${known.join(", ")}.`;
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `The process has no input \`${name.slice(0, 60)}\`.${meant === null ? "" : ` Did you mean \`${meant}=\`?`} ${has} Nothing was started. In an instruction, write such text after other words.`,
  );
}

/** Names of inputs that `with` of a rule in `baton.yaml` may give. */
function withNames(file: ProcessFile | null): string[] {
  return ["instructions", ...Object.keys(file?.inputs ?? {})];
}

/** The same names for all processes. A broken file reports its own problems. */
export function inputsOf(
  builtIn: readonly string[],
  files: readonly Pick<CheckedFile, "name" | "parsed">[],
): Record<string, string[]> {
  const read = files.flatMap(({ name, parsed }) => (parsed.ok ? [[name, withNames(parsed.file)] as const] : []));
  return Object.fromEntries([...read, ...builtIn.map((name) => [name, withNames(null)] as const)]);
}

export function refuseWith(process: string, file: ProcessFile | null, given: Record<string, unknown>): void {
  const known = withNames(file);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BatonError("BATON_COMMAND_INVALID", unknownInput(process, unknown, known));
}

export function readInputs(file: ProcessFile, text: string): { inputs: Record<string, unknown>; rest: string } {
  const inputs: Record<string, unknown> = {};
  let rest = text.trimStart();
  for (;;) {
    const found = inputPattern.exec(rest);
    const [whole = "", name = "", double, single, plain = ""] = found ?? [];
    const type = Object.hasOwn(file.inputs, name) ? file.inputs[name] : undefined;
    if (found === null || type === undefined) return { inputs, rest: rest.trim() };
    const word = (double ?? single)?.replaceAll(/\\(.)/g, "$1") ?? plain;
    inputs[name] = type.type === "string" ? word : valueOf(word, type.type);
    rest = rest.slice(whole.length);
  }
}

/** A value of another type stays a text. The schema of the input then reports it. */
function valueOf(word: string, type: string): unknown {
  try {
    const value = JSON.parse(word) as unknown;
    return type === "array" || type === "object" ? value : scalar.parse(value);
  } catch {
    return word;
  }
}
