/** Languages and package managers, by the names of files alone. */

export interface Language {
  name: string;
  files: number;
}

export interface PackageManager {
  name: string;
  /** The file that proves it. */
  path: string;
}

const byExtension: Readonly<Record<string, string>> = {
  ts: "TypeScript",
  tsx: "TypeScript",
  mts: "TypeScript",
  js: "JavaScript",
  jsx: "JavaScript",
  mjs: "JavaScript",
  cjs: "JavaScript",
  py: "Python",
  go: "Go",
  rs: "Rust",
  java: "Java",
  kt: "Kotlin",
  kts: "Kotlin",
  scala: "Scala",
  rb: "Ruby",
  php: "PHP",
  cs: "C#",
  fs: "F#",
  c: "C",
  h: "C",
  cc: "C++",
  cpp: "C++",
  hpp: "C++",
  swift: "Swift",
  ex: "Elixir",
  exs: "Elixir",
  dart: "Dart",
  sh: "Shell",
};

/** The lock file decides. If there is none, the manifest decides. The first match of a family counts. */
const families: readonly (readonly (readonly [file: RegExp, manager: string])[])[] = [
  [
    [/^pnpm-lock\.yaml$/, "pnpm"],
    [/^yarn\.lock$/, "yarn"],
    [/^bun\.lockb?$/, "bun"],
    [/^(?:package-lock|npm-shrinkwrap)\.json$/, "npm"],
    [/^deno\.lock$/, "deno"],
    [/^package\.json$/, "npm"],
    [/^deno\.jsonc?$/, "deno"],
  ],
  [
    [/^uv\.lock$/, "uv"],
    [/^poetry\.lock$/, "poetry"],
    [/^pdm\.lock$/, "pdm"],
    [/^Pipfile(?:\.lock)?$/, "pipenv"],
    [/^hatch\.toml$/, "hatch"],
    [/^(?:requirements.*\.txt|pyproject\.toml|setup\.py)$/, "pip"],
  ],
  [
    [/^go\.work$/, "go"],
    [/^go\.mod$/, "go"],
  ],
  [[/^Cargo\.(?:lock|toml)$/, "cargo"]],
  [[/^pom\.xml$/, "maven"]],
  [
    [/^build\.gradle(?:\.kts)?$/, "gradle"],
    [/^settings\.gradle(?:\.kts)?$/, "gradle"],
  ],
  [[/^Gemfile(?:\.lock)?$/, "bundler"]],
  [[/^composer\.(?:lock|json)$/, "composer"]],
  [[/\.(?:sln|csproj|fsproj)$/, "dotnet"]],
  [[/^mix\.(?:lock|exs)$/, "mix"]],
  [[/^pubspec\.(?:lock|yaml)$/, "pub"]],
  [[/^Package\.swift$/, "swiftpm"]],
];

/** Programs that run a project's tasks, by the file that names the tasks. */
const taskRunners: readonly (readonly [file: RegExp, name: string])[] = [
  [/^(?:GNUm|[Mm])akefile$/, "make"],
  [/^\.?[Jj]ustfile$/, "just"],
  [/^[Tt]askfile\.ya?ml$/, "task"],
  [/^tox\.(?:ini|toml)$/, "tox"],
  [/^noxfile\.py$/, "nox"],
  [/^\.pre-commit-config\.ya?ml$/, "pre-commit"],
];

/** Files at the root that join several projects. A pattern reads the file's text. */
const workspaceFiles: readonly (readonly [path: string, name: string, text: RegExp | null])[] = [
  ["pnpm-workspace.yaml", "pnpm", null],
  ["package.json", "npm or yarn", /"workspaces"\s*:/],
  ["lerna.json", "lerna", null],
  ["nx.json", "nx", null],
  ["turbo.json", "turbo", null],
  ["rush.json", "rush", null],
  ["go.work", "go", null],
  ["Cargo.toml", "cargo", /^\s*\[workspace\]/m],
  ["pyproject.toml", "uv", /^\s*\[tool\.uv\.workspace\]/m],
  ["MODULE.bazel", "bazel", null],
  ["WORKSPACE", "bazel", null],
  ["WORKSPACE.bazel", "bazel", null],
];
const manifests =
  /^(?:package\.json|pyproject\.toml|setup\.py|go\.mod|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|composer\.json|Gemfile|mix\.exs)$/;

/** Files at the root whose contents tell one tool from another. */
export const toolFiles: readonly string[] = ["package.json", "pyproject.toml", "Cargo.toml"];

/** Code by others does not show the languages of this repository. */
const foreign = /(?:^|\/)(?:node_modules|vendor|third_party|dist|build|\.venv|target)\//;
const languagesMax = 6;

export function languagesOf(paths: readonly string[]): Language[] {
  const files = new Map<string, number>();
  for (const path of paths) {
    const extension = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
    const name = Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined;
    if (name !== undefined && !foreign.test(path)) files.set(name, (files.get(name) ?? 0) + 1);
  }
  return [...files]
    .map(([name, count]) => ({ name, files: count }))
    .sort((a, b) => b.files - a.files || a.name.localeCompare(b.name))
    .slice(0, languagesMax);
}

type Texts = Pick<ReadonlyMap<string, string>, "get">;

/** Tools that leave no file of their own, by their section of `pyproject.toml`. */
const pythonTools: readonly (readonly [section: RegExp, name: string])[] = [
  [/^\s*\[tool\.uv[\].]/m, "uv"],
  [/^\s*\[tool\.poetry[\].]/m, "poetry"],
  [/^\s*\[tool\.pdm[\].]/m, "pdm"],
  [/^\s*\[tool\.hatch\.envs[\].]/m, "hatch"],
];

function pythonTool(path: string, texts: Texts): string | null {
  const text = path.endsWith("pyproject.toml") ? (texts.get(path) ?? "") : "";
  return pythonTools.find(([section]) => section.test(text))?.[1] ?? null;
}

/** Only the root counts: files below belong to parts. */
export function taskRunnersOf(paths: readonly string[], texts: Texts): PackageManager[] {
  const found = taskRunners.flatMap(([file, name]) => {
    const path = paths.find((one) => file.test(one));
    return path === undefined ? [] : [{ name, path }];
  });
  const isTox = /^\s*\[tool\.tox[\].]/m.test(texts.get("pyproject.toml") ?? "");
  return isTox && !found.some(({ name }) => name === "tox")
    ? [...found, { name: "tox", path: "pyproject.toml" }]
    : found;
}

export interface Monorepo {
  /** What joins the projects. Empty: nothing, they only lie next to each other. */
  joinedBy: PackageManager[];
  projects: number;
}

/** null: one project, or none. */
export function monorepoOf(paths: readonly string[], texts: Texts): Monorepo | null {
  const joinedBy = workspaceFiles.flatMap(([path, name, text]) =>
    paths.includes(path) && (text === null || text.test(texts.get(path) ?? "")) ? [{ name, path }] : [],
  );
  const folders = paths.filter(
    (path) => !foreign.test(path) && !aside.test(path) && manifests.test(path.split("/").at(-1) ?? ""),
  );
  const projects = new Set(folders.map((path) => path.split("/").slice(0, -1).join("/"))).size;
  return joinedBy.length === 0 && projects < projectsMin ? null : { joinedBy, projects };
}

/** Two projects may be a program and its example. */
const projectsMin = 3;
/** Manifests in them are not parts of the product. */
const aside =
  /(?:^|\/)(?:tests?|__tests__|fixtures?|testdata|examples?|samples?|templates?|docs?|bench(?:marks)?|e2e)\//i;

export function packageManagersOf(paths: readonly string[], texts: Texts = new Map()): PackageManager[] {
  const own = paths.filter((path) => !foreign.test(path));
  // The file nearest to the root speaks for the repository. Between two files there, the lock file decides.
  const depth = (path: string): number => path.split("/").length + (aside.test(path) ? 100 : 0);
  const sorted = own.toSorted((a, b) => depth(a) - depth(b) || a.localeCompare(b));
  return families.flatMap((family) => {
    const found = family.flatMap(([file, name], order) => {
      const path = sorted.find((one) => file.test(one.split("/").at(-1) ?? ""));
      return path === undefined ? [] : [{ name, path, order }];
    });
    const [first] = found.toSorted((a, b) => depth(a.path) - depth(b.path) || a.order - b.order);
    if (first === undefined) return [];
    const { name, path } = first;
    return [{ name: name === "pip" ? (pythonTool(path, texts) ?? name) : name, path }];
  });
}
