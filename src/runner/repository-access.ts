import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { RepositoryAccess } from "../ports/workspace.ts";

/** How git reaches a repository: a URL without credentials, and a new token for each use. A token lives one hour. */
export async function repositoryAccess(
  github: Github,
  repository: Repository,
  access: "read" | "write",
): Promise<RepositoryAccess> {
  const { url } = await github.gitAccess(repository, access);
  return { repository, url, token: async () => (await github.gitAccess(repository, access)).token };
}
