/** A repository's facts through the API alone: no clone. */
import { nullFor } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import { atLeast } from "../policy/permission.ts";
import type { Github } from "../ports/github.ts";
import { type BranchFacts, type RepositoryFacts, wantedPaths } from "./facts.ts";

export async function branchFacts(github: Github, repository: Repository): Promise<BranchFacts> {
  const branch = repository.defaultBranch;
  const [rules, required] = await Promise.all([
    github.setup(repository).branchRules(branch),
    github.requiredChecks(repository, branch),
  ]);
  return { ...rules, requiredChecks: required.map(({ name }) => name) };
}

/** People with write access. null: this token may not list them. */
export async function writersOf(github: Github, repository: Repository): Promise<number | null> {
  const people = await github.collaborators(repository).catch(nullFor("BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND"));
  return people?.filter(({ kind, permission }) => kind === "user" && atLeast(permission, "write")).length ?? null;
}

/** At a commit of any branch. The rules are those of the default branch. */
export async function githubFacts(github: Github, repository: Repository, sha: string): Promise<RepositoryFacts> {
  const setup = github.setup(repository);
  const [{ paths, isWhole }, secretNames, branch, writers] = await Promise.all([
    setup.paths(sha),
    setup.secretNames(),
    branchFacts(github, repository),
    writersOf(github, repository),
  ]);
  return {
    name: `${repository.owner}/${repository.name}`,
    defaultBranch: repository.defaultBranch,
    paths,
    isWhole,
    texts: await textsAt(github, repository, sha, wantedPaths(paths)),
    secretNames,
    environmentNames: [],
    branch,
    writers,
    isEmpty: false,
  };
}

export async function textsAt(
  github: Github,
  repository: Repository,
  sha: string,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const text = await github.file(repository, path, sha);
    if (text !== null) texts.set(path, text);
  }
  return texts;
}
