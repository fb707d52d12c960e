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

/** The configuration at a commit. null: the commit has none. */
export async function readConfig(
  github: Github,
  repository: Repository,
  sha: string,
  surroundings: ConfigSurroundings = {},
): Promise<{ path: string; parsed: ParsedConfig } | null> {
  for (const path of configPaths) {
    const text = await github.file(repository, path, sha);
    if (text !== null) return { path, parsed: parseConfig(text, surroundings) };
  }
  return null;
}
