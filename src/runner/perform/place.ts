/** `place`: the findings of a review on the lines of the change, by git's diff and the files' own text. */
import { placeInputSchema } from "../../core/effect.ts";
import type { Json } from "../../core/vocabulary.ts";
import { matchesAny } from "../../policy/paths.ts";
import type { RepositoryAccess, Workspaces } from "../../ports/workspace.ts";
import { type ChangedFile, changeMap } from "../../review/change-map.ts";
import { placeFindings } from "../../review/place.ts";
import { repositoryAccess } from "../repository-access.ts";
import { settingsOf } from "../settings-of.ts";
import type { WorkPerformer } from "./performer.ts";

/** More than any reader reviews. A file beyond it is measured by itself. */
const diffCharactersMax = 8_000_000;
const fileCharactersMax = 2_000_000;

export const placePerformer: WorkPerformer = {
  estimateUsd: () => 0,
  async perform(context) {
    const { dependencies, state, effect, github } = context;
    const { workspaces } = dependencies;
    const { baseSha, sha, since, findings, earlier } = placeInputSchema.parse(effect.input);
    const access = await repositoryAccess(github, state.thread.repository, "read");
    const wanted = [...new Set([...findings, ...earlier].map(({ path }) => path))];
    const files = await changesOf(workspaces, access, { from: baseSha, sha, wanted });
    const fresh = since === null ? null : await changesOf(workspaces, access, { from: since, sha, wanted });
    const from = await workspaces.leftAt(access, baseSha, sha);
    const paths = new Set([...wanted, ...files.flatMap((file) => (isOneOf(file, wanted) ? pathsOf(file) : []))]);
    const head = await texts(workspaces, access, sha, paths);
    const base = await texts(workspaces, access, from, paths);
    const { protectedPaths } = settingsOf(state);
    const placement = placeFindings(findings, earlier, {
      files,
      since: fresh,
      head: (path) => head.get(path) ?? null,
      base: (path) => base.get(path) ?? null,
      maySuggest: (path) => !matchesAny(path, protectedPaths),
    });
    return { ok: true, output: placement as unknown as Json, usage: [] };
  },
};

function pathsOf({ path, from }: ChangedFile): string[] {
  return [path, from].filter((one) => one !== null);
}

function isOneOf(file: ChangedFile, paths: readonly string[]): boolean {
  return pathsOf(file).some((path) => paths.includes(path));
}

/** Where the whole change is too long, each file is read by itself. Renames are then two files. */
async function changesOf(
  workspaces: Workspaces,
  access: RepositoryAccess,
  { from, sha, wanted }: { from: string; sha: string; wanted: readonly string[] },
): Promise<ChangedFile[]> {
  const { text, truncated } = await workspaces.diff(access, from, sha, diffCharactersMax);
  const files = changeMap(text, { truncated });
  if (!truncated) return files;
  const missing = wanted.filter((path) => !files.some((file) => isOneOf(file, [path])));
  for (const path of missing) {
    const own = await workspaces.diff(access, from, sha, fileCharactersMax, [path]);
    files.push(...changeMap(own.text, own));
  }
  return files;
}

/** Text files only. A huge file has no comments. */
async function texts(
  workspaces: Workspaces,
  access: RepositoryAccess,
  sha: string,
  paths: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const text = await workspaces.readFile(access, sha, path);
    if (text !== null && text.length <= fileCharactersMax && !text.includes("\0")) found.set(path, text);
  }
  return found;
}
