/**
 * One fetch from the remote into the repository of the remote's objects. Silence bounds it, so a long history may take
 * its time.
 *
 * TR1 Progress resets the clock. A silent server ends the call, and no partial fetch stays.
 * TR2 Baton fetches a repository above the bound of objects without file contents: all commits and trees, no blobs.
 *     Packs of such fetches carry git's own mark (`.promisor`), and later fetches work the same way.
 * TR3 Blobs are fetched by name, as git does on demand, but only when Baton asks.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { git } from "./git-command.ts";

export interface TransferBounds {
  silenceMs: number;
  /** A fetch of more objects than this omits blobs. 0: always. */
  objectsMax: number;
}

export interface Source {
  url: string;
  token: string | null;
}

/** For a transfer that never ends and never falls silent. */
const totalMs = 12 * 60 * 60_000;
const blobsAtOnceMax = 20_000;

/** `Receiving objects:  12% (123/4567)`, or the server's count before it sends. */
const countPattern = /(?:Receiving objects|Counting objects):\s+\d+% \(\d+\/(\d+)\)|Total (\d+) \(delta/g;

export async function transfer(gitDir: string, source: Source, refspec: string, bounds: TransferBounds): Promise<void> {
  await removeLeftovers(gitDir);
  try {
    if (bounds.objectsMax === 0 || (await isPartial(gitDir)))
      return await withoutBlobs(gitDir, source, [refspec], bounds);
    if (await whole(gitDir, source, refspec, bounds)) return;
    await removeLeftovers(gitDir);
    await withoutBlobs(gitDir, source, [refspec], bounds);
  } catch (thrown) {
    await removeLeftovers(gitDir);
    throw thrown;
  }
}

/** TR3 */
export async function transferBlobs(
  gitDir: string,
  source: Source,
  oids: readonly string[],
  bounds: TransferBounds,
): Promise<void> {
  await removeLeftovers(gitDir);
  try {
    for (let from = 0; from < oids.length; from += blobsAtOnceMax)
      await withoutBlobs(gitDir, source, ["--stdin"], bounds, oids.slice(from, from + blobsAtOnceMax));
  } catch (thrown) {
    await removeLeftovers(gitDir);
    throw thrown;
  }
}

/** Part of its history came without blobs. */
export async function isPartial(gitDir: string): Promise<boolean> {
  const packs = await readdir(join(gitDir, "objects", "pack")).catch(() => [] as string[]);
  return packs.some((name) => name.endsWith(".promisor"));
}

/** False: it is too large for a whole fetch. */
async function whole(
  gitDir: string,
  { url, token }: Source,
  refspec: string,
  bounds: TransferBounds,
): Promise<boolean> {
  const tooLarge = new AbortController();
  try {
    await git(["fetch", "--progress", "--no-tags", "--no-write-fetch-head", url, refspec], {
      gitDir,
      token,
      url,
      ...patient(bounds),
      signal: tooLarge.signal,
      onProgress(text) {
        for (const [, receiving, total] of text.matchAll(countPattern))
          if (Number(receiving ?? total) > bounds.objectsMax) tooLarge.abort();
      },
    });
    return true;
  } catch (thrown) {
    if (tooLarge.signal.aborted) return false;
    throw thrown;
  }
}

async function withoutBlobs(
  gitDir: string,
  { url, token }: Source,
  refspecs: readonly string[],
  bounds: TransferBounds,
  oids: readonly string[] = [],
): Promise<void> {
  const { config, ...limits } = patient(bounds);
  const options = ["--progress", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"];
  await git(["fetch", ...options, "origin", ...refspecs], {
    gitDir,
    token,
    url,
    ...limits,
    ...(oids.length === 0 ? {} : { input: `${oids.join("\n")}\n` }),
    config: {
      ...config,
      "remote.origin.url": url,
      "remote.origin.promisor": "true",
      "remote.origin.partialclonefilter": "blob:none",
      // A commit that is here does not show that its blobs are here.
      ...(oids.length === 0 ? {} : { "fetch.negotiationAlgorithm": "noop" }),
    },
  });
}

/**
 * A server that counts for a long time sends a few bytes now and then, so it is alive. Git's own clock waits as long as
 * ours.
 * @internal for tests
 */
export function patient({ silenceMs }: Pick<TransferBounds, "silenceMs">) {
  const config = { "http.lowSpeedLimit": "1", "http.lowSpeedTime": String(Math.ceil(silenceMs / 1_000) + 1) };
  return { timeoutMs: totalMs, silenceMs, config };
}

/** Packs that a stopped fetch did not finish, and its locks. Only one fetch of a repository runs at a time. */
async function removeLeftovers(gitDir: string): Promise<void> {
  const remove = async (directory: string, isLeft: (name: string) => boolean): Promise<void> => {
    for (const name of await readdir(join(gitDir, directory)).catch(() => [] as string[]))
      if (isLeft(name)) await rm(join(gitDir, directory, name), { recursive: true, force: true });
  };
  await remove(join("objects", "pack"), (name) => /^(?:tmp_|\.tmp-)/.test(name));
  await remove("objects", (name) => name.startsWith("tmp_objdir-"));
  await remove(".", (name) => name === "packed-refs.lock" || name === "shallow.lock" || name === "config.lock");
  const refs = await readdir(join(gitDir, "refs"), { recursive: true }).catch(() => [] as string[]);
  for (const name of refs) if (name.endsWith(".lock")) await rm(join(gitDir, "refs", name), { force: true });
}
