/** Settings of a repository, from the branch that counts (Y1). A broken file gives the defaults and its problems: only reading goes on. */
import { type ConfigProblem, configPaths, parseConfig } from "../config/parse.ts";
import { defaultSettings, type Settings } from "../config/schema.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";

export interface LoadedSettings {
  settings: Settings;
  problems: ConfigProblem[];
  /** null: no file, the defaults. */
  path: string | null;
  sha: string | null;
}

export async function loadSettings(github: Github, repository: Repository, branch: string): Promise<LoadedSettings> {
  const sha = await github.branchSha(repository, branch);
  if (sha === null) return { settings: defaultSettings, problems: [], path: null, sha: null };
  for (const path of configPaths) {
    const text = await github.file(repository, path, sha);
    if (text === null) continue;
    const parsed = parseConfig(text);
    return parsed.ok
      ? { settings: parsed.settings, problems: [], path, sha }
      : { settings: defaultSettings, problems: parsed.problems, path, sha };
  }
  return { settings: defaultSettings, problems: [], path: null, sha };
}
