/**
 * Settings of a repository, from the branch that counts (Y1). A broken file gives the defaults and its problems: only
 * reading continues.
 */
import {
  type ConfigProblem,
  type ConfigSurroundings,
  configPaths,
  type ParsedConfig,
  parseConfig,
  twoFilesProblem,
} from "../config/parse.ts";
import { defaultSettings, type Settings } from "../config/schema.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";

export interface LoadedSettings {
  settings: Settings;
  /** Problems that block work: while one exists, Baton starts nothing. */
  problems: ConfigProblem[];
  /** Problems that Baton only shows. */
  warnings: ConfigProblem[];
  /** null: there is no file, and the defaults apply. */
  path: string | null;
  sha: string | null;
}

export async function loadSettings(github: Github, repository: Repository, branch: string): Promise<LoadedSettings> {
  const sha = await github.branchSha(repository, branch);
  const found = sha === null ? null : await readConfig(github, repository, sha);
  if (found === null) return { settings: defaultSettings, problems: [], warnings: [], path: null, sha };
  const { path, parsed } = found;
  return parsed.ok
    ? { settings: parsed.settings, problems: [], warnings: parsed.problems, path, sha }
    : { settings: defaultSettings, problems: parsed.problems, warnings: [], path, sha };
}

/**
 * The configuration at a commit. null: the commit has none. Two files are a problem, because nobody knows which one counts.
 */
export async function readConfig(
  github: Github,
  repository: Repository,
  sha: string,
  surroundings: ConfigSurroundings = {},
): Promise<{ path: string; parsed: ParsedConfig } | null> {
  const [first, ...others] = await configsAt(github, repository, sha);
  if (first === undefined) return null;
  if (others.length > 0) {
    const paths = [first, ...others].map(({ path }) => path);
    return { path: first.path, parsed: { ok: false, problems: [twoFilesProblem(paths)] } };
  }
  return { path: first.path, parsed: parseConfig(first.text, surroundings) };
}

type Found = { path: string; text: string }[];

/** A commit never changes, so Baton reads its files once. The newest commits stay. */
const known = new WeakMap<Github, Map<string, Found>>();
const commitsMax = 200;

async function configsAt(github: Github, repository: Repository, sha: string): Promise<Found> {
  const kept = known.get(github) ?? new Map<string, Found>();
  known.set(github, kept);
  const key = `${repository.id}@${sha}`;
  const before = kept.get(key);
  if (before !== undefined) return before;
  const texts = await Promise.all(configPaths.map((path) => github.file(repository, path, sha)));
  const found = configPaths.flatMap((path, at): Found => {
    const text = texts[at] ?? null;
    return text === null ? [] : [{ path, text }];
  });
  for (const oldest of [...kept.keys()].slice(0, Math.max(0, kept.size + 1 - commitsMax))) kept.delete(oldest);
  kept.set(key, found);
  return found;
}
