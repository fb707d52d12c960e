/**
 * The owners of changed files, by CODEOWNERS. They are called for a review where the settings name nobody.
 *
 * Source: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
 * CO1 The last line that fits a file decides, even if it names nobody. Owners by e-mail address are skipped, because a
 *     mention needs a login.
 */
import picomatch from "picomatch";
import { z } from "zod";
import { globProblem } from "./paths.ts";

/** GitHub uses the first of these that exists. */
export const codeOwnersPaths = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"] as const;

/** Logins, and teams as `organization/slug`. */
export const codeOwnersSchema = z.object({ people: z.array(z.string()), teams: z.array(z.string()) });
export type CodeOwners = z.infer<typeof codeOwnersSchema>;

const linesMax = 5_000;
/** Lines times files, tried within a second. With more, nobody is called by this file. */
const triesMax = 1_000_000;
const patternCharactersMax = 300;
const owner = /^@([A-Za-z0-9][A-Za-z0-9_-]{0,38})(?:\/([A-Za-z0-9][A-Za-z0-9._-]{0,99}))?$/;

interface Line {
  fits(path: string): boolean;
  owners: string[];
}

export function codeOwnersOf(text: string, paths: readonly string[]): CodeOwners {
  const lines = text.split(/\r?\n/, linesMax).flatMap((line) => readLine(line) ?? []);
  if (lines.length * paths.length > triesMax) return { people: [], teams: [] };
  const found = new Set(paths.flatMap((path) => lines.findLast(({ fits }) => fits(path))?.owners ?? []));
  const people = new Set<string>();
  const teams = new Set<string>();
  for (const word of found) {
    const [, login, slug] = owner.exec(word) ?? [];
    if (login === undefined) continue;
    if (slug === undefined) people.add(login);
    else teams.add(`${login}/${slug}`);
  }
  return { people: [...people], teams: [...teams] };
}

/** A space in a path is written `\ `. null: the line has no pattern, or one that GitHub does not support. */
function readLine(line: string): Line | null {
  const [pattern = "", ...rest] = line.trim().match(/(?:\\.|[^\s\\])+/g) ?? [];
  if (pattern === "" || pattern.startsWith("#") || /^!|[[\]]/.test(pattern)) return null;
  // A name could keep the processor busy, as with a glob of `baton.yaml`.
  if (pattern.length > patternCharactersMax || globProblem(pattern) !== null) return null;
  const comment = rest.findIndex((word) => word.startsWith("#"));
  const globs = globsOf(pattern.replaceAll("\\", ""));
  const fits = picomatch(globs, { dot: true, nobrace: true, nobracket: true, noextglob: true, nonegate: true });
  return { fits, owners: comment === -1 ? rest : rest.slice(0, comment) };
}

/** As in `.gitignore`: without a slash before its end, a pattern fits at any depth. A folder owns what is below it. */
function globsOf(pattern: string): string[] {
  const isFolder = pattern.endsWith("/");
  const bare = pattern.replace(/^\//, "").replace(/\/$/, "");
  const isAnchored = pattern.startsWith("/") || bare.includes("/");
  const base = isAnchored ? bare : `**/${bare}`;
  if (isFolder) return [`${base}/**`];
  // `docs/*` owns files of the folder, and nothing below: https://docs.github.com gives this example.
  return bare.endsWith("/*") ? [base] : [base, `${base}/**`];
}
