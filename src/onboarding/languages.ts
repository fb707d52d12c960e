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
    [/^(?:requirements.*\.txt|pyproject\.toml|setup\.py)$/, "pip"],
  ],
  [[/^go\.mod$/, "go"]],
  [[/^Cargo\.(?:lock|toml)$/, "cargo"]],
  [
    [/^pom\.xml$/, "maven"],
    [/^build\.gradle(?:\.kts)?$/, "gradle"],
  ],
  [[/^Gemfile(?:\.lock)?$/, "bundler"]],
  [[/^composer\.(?:lock|json)$/, "composer"]],
  [[/\.(?:sln|csproj|fsproj)$/, "dotnet"]],
  [[/^mix\.(?:lock|exs)$/, "mix"]],
  [[/^pubspec\.(?:lock|yaml)$/, "pub"]],
  [[/^Package\.swift$/, "swiftpm"]],
];

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

export function packageManagersOf(paths: readonly string[]): PackageManager[] {
  const own = paths.filter((path) => !foreign.test(path));
  // The file nearest to the root speaks for the repository.
  const sorted = own.toSorted((a, b) => a.split("/").length - b.split("/").length || a.localeCompare(b));
  return families.flatMap((family) => {
    for (const [file, name] of family) {
      const path = sorted.find((one) => file.test(one.split("/").at(-1) ?? ""));
      if (path !== undefined) return [{ name, path }];
    }
    return [];
  });
}
