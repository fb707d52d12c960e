/** Branches, refs, files, commits, comparisons: everything from git. */
import { z } from "zod";
import { created, noContent, notFound, ok, Refusal } from "../answer.ts";
import { personOf } from "../deeds/accounts.ts";
import { createCommit } from "../deeds/commits.ts";
import { changeRef, refsChanged } from "../deeds/refs.ts";
import { demandWorkflowsForFile } from "../deeds/workflow-files.ts";
import { commitFiles, commitSha, countCommits, git, mergeBase, updateRef } from "../git.ts";
import {
  readBlob,
  readCommit,
  readCommits,
  readDifference,
  readEntry,
  readTree,
  type TreeEntry,
} from "../git-objects.ts";
import {
  branchWithProtection,
  commitObject,
  contentEntry,
  diffEntry,
  gitCommit,
  gitRef,
  isProtected,
  shortBranch,
} from "../resources/commit.ts";
import { activity, repositoryPage, repositoryUrl } from "../resources/repository.ts";
import { bodyOf, listed, type RepositoryContext, repositoryRoute } from "../route.ts";
import { gitDirectory } from "../site.ts";
import { branchRef } from "../state.ts";

const directoryOf = (context: RepositoryContext): string => gitDirectory(context.site, context.repository.id);

/** A branch, a tag, a full ref or a SHA. Branches come from the view, so that a stale read is stale. */
async function resolve(context: RepositoryContext, name: string): Promise<string | null> {
  const { refs } = context.repository;
  const short = name.replace(/^refs\//, "");
  const byName = refs.get(branchRef(name)) ?? refs.get(`refs/tags/${name}`) ?? refs.get(`refs/${short}`);
  if (byName !== undefined) return commitSha(directoryOf(context), byName);
  return /^[0-9a-f]{4,64}$/.test(name) ? commitSha(directoryOf(context), name) : null;
}

export async function shaOf(context: RepositoryContext, name: string): Promise<string> {
  const sha = await resolve(context, name);
  if (sha === null) throw new Refusal(422, `No commit found for SHA: ${name}`);
  return sha;
}

function branchesOf(context: RepositoryContext): string[] {
  return [...context.repository.refs.keys()]
    .filter((ref) => ref.startsWith("refs/heads/"))
    .map((ref) => ref.slice("refs/heads/".length))
    .toSorted();
}

async function contents(context: RepositoryContext) {
  const path = (context.params["path"] ?? "").replace(/^\/+|\/+$/g, "");
  const ref = context.request.query.get("ref") ?? context.repository.defaultBranch;
  const sha = await resolve(context, ref);
  if (sha === null) throw new Refusal(404, `No commit found for the ref ${ref}`);
  const entry = await readEntry(directoryOf(context), sha, path);
  if (entry === null) throw notFound();
  if (entry.type === "tree") return listing(context, { ref, path, tree: entry.sha });
  const bytes = (await readBlob(directoryOf(context), entry.sha)) ?? Buffer.alloc(0);
  // `application/vnd.github.raw`, `…raw+json`, and `…v3.raw`, which Octokit sends for `mediaType: raw`.
  if (/application\/vnd\.github(?:\.v3)?\.raw\b/.test(context.request.headers["accept"] ?? "")) {
    return { status: 200, raw: { bytes, type: "application/vnd.github.raw+json; charset=utf-8" } };
  }
  const content = bytes.toString("base64").replace(/.{60}/g, "$&\n");
  const object = contentEntry(context.view, { repository: context.repository, ref, path }, entry);
  return ok({ ...object, content: content === "" ? "" : `${content}\n`, encoding: "base64" });
}

async function listing(context: RepositoryContext, given: { ref: string; path: string; tree: string }) {
  const entries = (await readTree(directoryOf(context), given.tree)) ?? [];
  const below = (one: TreeEntry): string => (given.path === "" ? one.path : `${given.path}/${one.path}`);
  const place = (one: TreeEntry) => ({ repository: context.repository, ref: given.ref, path: below(one) });
  return ok(entries.map((one) => contentEntry(context.view, place(one), one)));
}

const fileWrite = z.object({
  message: z.string().min(1),
  content: z.string().optional(),
  sha: z.string().optional(),
  branch: z.string().optional(),
});

async function writeFile(context: RepositoryContext, content: Buffer | null) {
  const { site, repository, doer } = context;
  const given = bodyOf(context, fileWrite);
  const branch = given.branch ?? repository.defaultBranch;
  const path = context.params["path"] ?? "";
  demandWorkflowsForFile(doer, path);
  return site.locked(repository.id, async () => {
    const ref = branchRef(branch);
    const from = repository.refs.get(ref);
    if (from === undefined) throw new Refusal(404, `Branch ${branch} not found`);
    const directory = directoryOf(context);
    const before = await readEntry(directory, from, path);
    if (before === null && content === null) throw notFound();
    if (before !== null && given.sha === undefined)
      throw new Refusal(422, `Invalid request.\n\n"sha" wasn't supplied.`);
    if (before !== null && given.sha !== before.sha) throw new Refusal(409, `${path} does not match ${given.sha}`);
    const author = personOf(site, doer.accountId);
    const options = { parents: [from], files: { [path]: content }, message: given.message, author, date: site.now() };
    const to = await commitFiles(directory, options);
    await updateRef(directory, ref, { to, from });
    await refsChanged(site, repository, { changes: [{ ref, from, to }], doer });
    const commit = gitCommit(context.view, repository, await readCommit(directory, to));
    const entry = content === null ? null : await readEntry(directory, to, path);
    const object = entry === null ? null : contentEntry(context.view, { repository, ref: branch, path }, entry);
    return { status: before === null ? 201 : 200, body: { content: object, commit } };
  });
}

async function comparison(context: RepositoryContext) {
  const [baseName = "", headName = ""] = (context.params["range"] ?? "").split("...");
  const base = await resolve(context, baseName.replace(/^.*:/, ""));
  const head = await resolve(context, headName.replace(/^.*:/, ""));
  if (base === null || head === null) throw notFound();
  const directory = directoryOf(context);
  const common = await mergeBase(directory, base, head);
  if (common === null) throw new Refusal(404, `No common ancestor between ${baseName} and ${headName}.`);
  const ahead = await countCommits(directory, base, head);
  const behind = await countCommits(directory, head, base);
  const { view, repository } = context;
  const url = `${repositoryUrl(view, repository)}/compare/${base}...${head}`;
  const page = `${repositoryPage(view, repository)}/compare/${base}...${head}`;
  const commits = (await readCommits(directory, [`${base}..${head}`])).toReversed();
  const files = await readDifference(directory, common, head);
  return ok({
    url,
    html_url: page,
    permalink_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: commitObject(view, repository, await readCommit(directory, base)),
    merge_base_commit: commitObject(view, repository, await readCommit(directory, common)),
    status: ahead > 0 ? (behind > 0 ? "diverged" : "ahead") : behind > 0 ? "behind" : "identical",
    ahead_by: ahead,
    behind_by: behind,
    total_commits: commits.length,
    commits: commits.map((one) => commitObject(view, repository, one)),
    files: files.map((one) => diffEntry(view, { repository, sha: head }, one)),
  });
}

async function oneCommit(context: RepositoryContext) {
  const sha = await shaOf(context, context.params["ref"] ?? "");
  const directory = directoryOf(context);
  const commit = await readCommit(directory, sha);
  const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  const files = await readDifference(directory, commit.parents[0] ?? emptyTree, sha);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return ok({
    ...commitObject(context.view, context.repository, commit),
    stats: { additions, deletions, total: additions + deletions },
    files: files.map((one) => diffEntry(context.view, { repository: context.repository, sha }, one)),
  });
}

/**
 * Git routes of a repository without a commit. Source: https://docs.github.com/en/rest/git/refs (status 409) and the answer quoted
 * in https://github.com/noflo/noflo-ui/issues/500.
 */
const emptyRepository = (): Refusal => new Refusal(409, "Git Repository is empty.");

function matchingRefs(context: RepositoryContext, prefix: string) {
  return [...context.repository.refs]
    .filter(([ref]) => ref.startsWith(`refs/${prefix}`))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([ref, sha]) => gitRef(context.view, context.repository, { ref, sha }));
}

const refRoutes = [
  repositoryRoute("GET /git/ref/*ref", "contents:read", (context) => {
    const ref = `refs/${context.params["ref"]}`;
    const sha = context.repository.refs.get(ref);
    if (sha === undefined) throw context.repository.refs.size === 0 ? emptyRepository() : notFound();
    return ok(gitRef(context.view, context.repository, { ref, sha }));
  }),
  repositoryRoute("GET /git/matching-refs/*ref", "contents:read", (context) =>
    listed(context, matchingRefs(context, context.params["ref"] ?? ""), (one) => one),
  ),
  // Source: https://docs.github.com/en/rest/git/refs#create-a-reference
  repositoryRoute("POST /git/refs", "contents:write", async (context) => {
    const given = bodyOf(context, z.object({ ref: z.string().regex(/^refs\/.+\/.+/), sha: z.string() }));
    const { site, repository, doer } = context;
    if (repository.refs.size === 0) throw emptyRepository();
    await changeRef(site, repository, { ref: given.ref, to: given.sha, doer, create: true });
    return created(gitRef(context.view, repository, given));
  }),
  // Source: https://docs.github.com/en/rest/git/refs#update-a-reference
  repositoryRoute("PATCH /git/refs/*ref", "contents:write", async (context) => {
    const given = bodyOf(context, z.object({ sha: z.string(), force: z.boolean().optional() }));
    const ref = `refs/${context.params["ref"]}`;
    const { site, repository, doer } = context;
    await changeRef(site, repository, { ref, to: given.sha, doer, force: given.force ?? false });
    return ok(gitRef(context.view, repository, { ref, sha: given.sha }));
  }),
  // Source: https://docs.github.com/en/rest/git/refs#delete-a-reference
  repositoryRoute("DELETE /git/refs/*ref", "contents:write", async (context) => {
    const { site, repository, doer } = context;
    await changeRef(site, repository, { ref: `refs/${context.params["ref"]}`, to: null, doer });
    return noContent;
  }),
];

const personSchema = z.object({ name: z.string(), email: z.string(), date: z.string().optional() });
const newCommit = z.object({
  message: z.string(),
  tree: z.string(),
  parents: z.array(z.string()).default([]),
  author: personSchema.optional(),
  committer: personSchema.optional(),
  signature: z.string().optional(),
});

/** GitHub lists no more entries of a tree at once. */
const treeEntriesMax = 100_000;

export const codeRoutes = [
  ...refRoutes,
  repositoryRoute("GET /branches", "contents:read", (context) => {
    const wanted = context.request.query.get("protected");
    const some = branchesOf(context).filter(
      (one) => wanted === null || String(isProtected(context.repository, one)) === wanted,
    );
    return listed(context, some, (one) => shortBranch(context.view, context.repository, one));
  }),
  repositoryRoute("GET /branches/*branch", "contents:read", async (context) => {
    const branch = context.params["branch"] ?? "";
    const sha = context.repository.refs.get(branchRef(branch));
    if (sha === undefined) throw new Refusal(404, "Branch not found");
    const commit = await readCommit(directoryOf(context), sha);
    return ok(branchWithProtection(context.view, context.repository, { branch, commit }));
  }),
  repositoryRoute("GET /contents", "contents:read", contents),
  repositoryRoute("GET /contents/*path", "contents:read", contents),
  // Source: https://docs.github.com/en/rest/repos/contents#create-or-update-file-contents
  repositoryRoute("PUT /contents/*path", "contents:write", (context) => {
    const { content } = bodyOf(context, fileWrite);
    if (content === undefined) throw new Refusal(422, `Invalid request.\n\n"content" wasn't supplied.`);
    return writeFile(context, Buffer.from(content, "base64"));
  }),
  // Source: https://docs.github.com/en/rest/repos/contents#delete-a-file
  repositoryRoute("DELETE /contents/*path", "contents:write", (context) => writeFile(context, null)),
  repositoryRoute("GET /activity", "contents:read", (context) => {
    const ref = context.request.query.get("ref");
    const full = ref === null || ref.startsWith("refs/") ? ref : branchRef(ref);
    const some = context.repository.activities.filter((one) => full === null || one.ref === full).toReversed();
    return listed(context, some, (one) => activity(context.view, one));
  }),
  repositoryRoute("GET /commits", "contents:read", async (context) => {
    const { query } = context.request;
    const sha = await resolve(context, query.get("sha") ?? context.repository.defaultBranch);
    if (sha === null) throw notFound();
    const path = query.get("path");
    const commits = await readCommits(directoryOf(context), path === null ? [sha] : [sha, "--", path], 1000);
    return listed(context, commits, (one) => commitObject(context.view, context.repository, one));
  }),
  repositoryRoute("GET /compare/*range", "contents:read", comparison),
  repositoryRoute("GET /git/commits/:sha", "contents:read", async (context) => {
    const sha = await resolve(context, context.params["sha"] ?? "");
    if (sha === null) throw notFound();
    return ok(gitCommit(context.view, context.repository, await readCommit(directoryOf(context), sha)));
  }),
  // Source: https://docs.github.com/en/rest/git/commits#create-a-commit
  repositoryRoute("POST /git/commits", "contents:write", async (context) => {
    if (context.repository.refs.size === 0) throw emptyRepository();
    const sha = await createCommit(context.site, context.repository, context.doer, bodyOf(context, newCommit));
    return created(gitCommit(context.view, context.repository, await readCommit(directoryOf(context), sha)));
  }),
  repositoryRoute("GET /git/trees/:sha", "contents:read", async (context) => {
    const name = context.params["sha"] ?? "";
    const sha = (await resolve(context, name)) ?? name;
    if (!/^[0-9a-f]{40,64}$/.test(sha)) throw notFound();
    const entries = await readTree(directoryOf(context), sha, context.request.query.has("recursive"));
    if (entries === null) throw notFound();
    const url = `${repositoryUrl(context.view, context.repository)}/git`;
    const tree = entries.map((one) => ({
      path: one.path,
      mode: one.mode,
      type: one.type,
      sha: one.sha,
      ...(one.size === null ? {} : { size: one.size }),
      url: `${url}/${one.type === "tree" ? "trees" : "blobs"}/${one.sha}`,
    }));
    const id = (await git(directoryOf(context), ["rev-parse", `${sha}^{tree}`])).trim();
    const listed = tree.slice(0, treeEntriesMax);
    return ok({ sha: id, url: `${url}/trees/${id}`, tree: listed, truncated: listed.length < tree.length });
  }),
];

/** Last in the table, because `:ref` would also match more specific routes. */
export const commitRoutes = [repositoryRoute("GET /commits/*ref", "contents:read", oneCommit)];
