/** Sets up one repository, through the one client. */
import { BatonError, hasCode, nullFor } from "../../core/errors.ts";
import type { Repository } from "../../core/vocabulary.ts";
import type { RepositorySetup } from "../../ports/repository-setup.ts";
import { rulesOf } from "./branch-rules.ts";
import type { Requester } from "./request.ts";

interface Tree {
  tree: { path: string; type: string; sha: string }[];
  truncated: boolean;
}

/** Source: https://docs.github.com/en/rest/repos/repos#get-a-repository */
interface Traits {
  archived?: boolean;
  disabled?: boolean;
  fork?: boolean;
  is_template?: boolean;
}

interface Pull {
  number: number;
  state: "open" | "closed";
  merged_at: string | null;
  head: { ref: string; repo: { id: number } | null };
}

interface Rule {
  type: string;
  parameters?: { required_approving_review_count?: number; require_code_owner_review?: boolean };
}

interface Content {
  sha: string;
  content?: string;
}

const sureFolders: readonly string[] = [".github", "docs"];

export function repositorySetup(requester: Requester, repository: Repository): RepositorySetup {
  const { owner, name } = repository;
  const at = { owner, repo: name };
  return {
    async traits() {
      const found = await requester.get<Traits>("/repositories/{repository_id}", { repository_id: repository.id });
      return {
        archived: found.archived === true,
        disabled: found.disabled === true,
        fork: found.fork === true,
        template: found.is_template === true,
      };
    },

    async lastPullRequest(branch) {
      // Without a filter of `state`, GitHub lists only open ones. The newest comes first:
      // https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
      const found = await requester.list<Pull>("/repos/{owner}/{repo}/pulls", {
        ...at,
        head: `${owner}:${branch}`,
        state: "all",
      });
      const last = found.find(
        ({ head }) => head.ref === branch && (head.repo === null || head.repo.id === repository.id),
      );
      if (last === undefined) return null;
      const { number, state, merged_at: mergedAt } = last;
      return { number, end: state === "open" ? "open" : mergedAt === null ? "closed" : "merged" };
    },

    async paths(sha) {
      const read = (tree: string, all: boolean): Promise<Tree> =>
        requester.get<Tree>("/repos/{owner}/{repo}/git/trees/{tree_sha}", {
          ...at,
          tree_sha: tree,
          ...(all ? { recursive: "1" } : {}),
        });
      const filesOf = ({ tree }: Tree): string[] => tree.filter(({ type }) => type === "blob").map(({ path }) => path);
      const whole = await read(sha, true);
      if (!whole.truncated) return { paths: filesOf(whole), isWhole: true };
      // The deciding part is asked for by itself. A part without `.github` would look like a repository without CI.
      const root = await read(sha, false);
      const folders = root.tree.filter(({ type, path }) => type === "tree" && sureFolders.includes(path));
      const sure = await Promise.all(
        folders.map(async ({ path, sha: tree }) => filesOf(await read(tree, true)).map((file) => `${path}/${file}`)),
      );
      return { paths: [...new Set([...filesOf(root), ...sure.flat(), ...filesOf(whole)])].sort(), isWhole: false };
    },

    async secretNames() {
      const named = (data: unknown): { name: string }[] => (data as { secrets: { name: string }[] }).secrets;
      const lists = await Promise.all(
        ["/repos/{owner}/{repo}/actions/secrets", "/repos/{owner}/{repo}/actions/organization-secrets"].map((route) =>
          requester.list<{ name: string }>(route, at, named).catch(refusedIsNull),
        ),
      );
      const known = lists.filter((list) => list !== null);
      return known.length === 0 ? null : [...new Set(known.flat().map((secret) => secret.name))].sort();
    },

    async branchRules(branch) {
      const rules = await rulesOf<Rule>(requester, repository, branch);
      const found = await requester.find<{ protected: boolean }>("/repos/{owner}/{repo}/branches/{branch}", {
        ...at,
        branch,
      });
      const reviews = rules.filter(({ type }) => type === "pull_request").map(({ parameters }) => parameters ?? {});
      return {
        protected: rules.length > 0 || found?.protected === true,
        reviews: Math.max(0, ...reviews.map((rule) => rule.required_approving_review_count ?? 0)),
        codeOwners: reviews.some((rule) => rule.require_code_owner_review === true),
      };
    },

    async messagesAhead(base, branch) {
      const { ahead_by: ahead, commits } = await requester.get<{
        ahead_by: number;
        commits: { commit: { message: string } }[];
      }>("/repos/{owner}/{repo}/compare/{basehead}", { ...at, basehead: `${base}...${branch}` });
      return ahead > commits.length ? null : commits.map(({ commit }) => commit.message);
    },

    async ensureBranch(branch, sha, from) {
      const ref = `heads/${branch}`;
      const read = (): Promise<{ object: { sha: string } } | null> =>
        requester.find("/repos/{owner}/{repo}/git/ref/{+ref}", { ...at, ref });
      const now = await read();
      if (now === null) {
        try {
          await requester.write("POST /repos/{owner}/{repo}/git/refs", { ...at, ref: `refs/${ref}`, sha });
          return true;
        } catch (thrown) {
          // The answer of an earlier try was lost, or somebody else was equally fast.
          const there = hasCode(thrown, "BATON_GITHUB_CONFLICT") ? await read() : null;
          if (there === null) throw thrown;
          return there.object.sha === sha;
        }
      }
      if (now.object.sha === sha) return true;
      if (now.object.sha !== from) return false;
      await requester.write("PATCH /repos/{owner}/{repo}/git/refs/{+ref}", { ...at, ref, sha, force: true });
      return true;
    },

    async ensureFile({ branch, path, text, message }) {
      const file = { ...at, path };
      const now = await requester.find<Content>("/repos/{owner}/{repo}/contents/{+path}", { ...file, ref: branch });
      if (now !== null && Buffer.from(now.content ?? "", "base64").toString("utf8") === text) return;
      try {
        await requester.write("PUT /repos/{owner}/{repo}/contents/{+path}", {
          ...file,
          branch,
          message,
          content: Buffer.from(text, "utf8").toString("base64"),
          ...(now === null ? {} : { sha: now.sha }),
        });
      } catch (thrown) {
        // GitHub answers 404 to a token without the scope `workflow`.
        if (!hasCode(thrown, "BATON_GITHUB_NOT_FOUND") || !path.startsWith(".github/workflows/")) throw thrown;
        throw new BatonError("BATON_GITHUB_DENIED", (thrown as BatonError).message, { cause: thrown });
      }
    },
  };
}

/** A list that Baton may not read, or that this GitHub does not have. */
const refusedIsNull = nullFor("BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND");
