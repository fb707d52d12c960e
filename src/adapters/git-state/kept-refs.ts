/**
 * Kept commits below `refs/baton/kept/<run>/<commit>`. Each is a git bundle as a file, in a ref of its own. Jobs read
 * such a ref only when they need it.
 *
 * KR1 Nothing is pushed as a commit of the project, so no rule about its files (workflows, protected paths) applies.
 * KR2 A commit that the scan blocked is encrypted before it leaves this process. Without a key, Baton refuses and sends
 *     nothing.
 * KR3 A ref counts only if it holds the commit in its name. Otherwise: BATON_STATE_BROKEN, and the ref stays.
 */
import { z } from "zod";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { type RunId, shaSchema } from "../../core/vocabulary.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KeptCommit, KeptWork } from "../../ports/kept-work.ts";
import type { StateRemote } from "./remote.ts";
import { seal, unseal } from "./seal.ts";

export interface KeptRefsOptions {
  /** A remote of its own, because it makes commits while the state makes others. */
  remote: StateRemote;
  namespace: string;
  /** The key that encrypts blocked commits. Null: Baton refuses blocked commits. */
  key: string | null;
  clock: Clock;
  onPush(): void;
}

interface Row extends Omit<KeptCommit, "baseSha"> {
  ref: string;
}

const aboutSchema = z.object({ version: z.literal(1), baseSha: shaSchema });

const sealedEnd = ".sealed";
const aboutPath = "kept.json";
const bundlePath = "bundle.base64";

export function keptPrefix(namespace: string, runId = ""): string {
  return `${namespace}kept/${runId === "" ? "" : `${runId}/`}`;
}

/** The run of a ref of kept commits. Null for any other ref. */
export function runOfKept(namespace: string, ref: string): string | null {
  return ref.startsWith(keptPrefix(namespace)) ? (ref.slice(keptPrefix(namespace).length).split("/")[0] ?? null) : null;
}

export class KeptRefs implements KeptWork {
  readonly isPublic = true;
  readonly bytesMax = limits.keptRefBytesMax;
  readonly #options: KeptRefsOptions;
  readonly #about = new Map<string, KeptCommit>();
  #rows: Promise<Map<string, Row>> | null = null;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: KeptRefsOptions) {
    this.#options = options;
  }

  async find(sha: string): Promise<KeptCommit | null> {
    const known = this.#about.get(sha);
    if (known !== undefined) return known;
    const row = (await this.#list()).get(sha);
    return row === undefined ? null : (await this.#read(sha, row)).about;
  }

  async put(sha: string, { runId, baseSha, bytes, secret }: Parameters<KeptWork["put"]>[1]): Promise<void> {
    const { key, remote, clock, onPush } = this.#options;
    if (secret !== null && key === null)
      throw new BatonError(
        "BATON_SECRET_FOUND",
        `${secret.message} This work ends with the job, because anyone who can read the repository can read what Baton keeps in it. The input \`state-key\` of Baton's step keeps such work encrypted.`,
      );
    const sealed = secret !== null;
    const kept = sealed && key !== null ? await seal(key, contextOf(sha, { runId, baseSha }), bytes) : bytes;
    const files = new Map([
      [aboutPath, `${JSON.stringify({ version: 1, baseSha } satisfies z.infer<typeof aboutSchema>)}\n`],
      [bundlePath, Buffer.from(kept).toString("base64")],
    ]);
    const message = `kept: ${runId} ${sha}\n`;
    const ref = `${keptPrefix(this.#options.namespace, runId)}${sha}${sealed ? sealedEnd : ""}`;
    const pushed = await this.#serially(async () => {
      const [made = ""] = await remote.commit([{ parent: null, message, at: clock.now(), files }]);
      onPush();
      return remote.push([{ ref, expected: null, sha: made }]);
    });
    if (pushed.kind === "failed" || pushed.kind === "refused")
      throw new BatonError("BATON_GIT_FAILED", `The step's commits could not be kept: ${pushed.message}`);
    // `moved`: an earlier try may have kept this very commit.
    if (pushed.kind === "moved") await this.#verify(sha, { ref, runId, sealed });
    else this.#about.set(sha, { runId, baseSha, sealed });
  }

  /** KR3, for a ref that this process did not write. */
  async #verify(sha: string, row: Row): Promise<void> {
    const { about, kept } = await this.#read(sha, row);
    const { key } = this.#options;
    if (!row.sealed || (key !== null && (await unseal(key, contextOf(sha, about), kept)) !== null)) return;
    this.#about.delete(sha);
    throw new BatonError(
      "BATON_STATE_BROKEN",
      `${row.ref} holds something that this job's \`state-key\` does not open.`,
    );
  }

  async bundle(sha: string): Promise<Uint8Array | null> {
    const row = (await this.#list()).get(sha) ?? (await this.#list(true)).get(sha);
    if (row === undefined) return null;
    const { about, kept } = await this.#read(sha, row);
    if (!row.sealed) return kept;
    const { key } = this.#options;
    const opened = key === null ? null : await unseal(key, contextOf(sha, about), kept);
    if (opened !== null) return opened;
    const why = key === null ? "this job has no `state-key`" : "this job's `state-key` is not the one that sealed them";
    throw new BatonError("BATON_WORK_SEALED", `The commits that lead to ${sha.slice(0, 7)} are sealed, and ${why}.`);
  }

  /** One look per job is enough, because only the driver of the thread adds to it. */
  #list(again = false): Promise<Map<string, Row>> {
    if (this.#rows === null || again) {
      const { remote, namespace } = this.#options;
      this.#rows = this.#serially(async () => rowsOf(namespace, (await remote.below(keptPrefix(namespace))).keys()));
      this.#rows.catch(() => (this.#rows = null));
    }
    return this.#rows;
  }

  async #read(sha: string, { ref, runId, sealed }: Row): Promise<{ about: KeptCommit; kept: Uint8Array }> {
    const { remote } = this.#options;
    return this.#serially(async () => {
      const head = (await remote.fetch([ref])).get(ref) ?? "";
      const oids = await remote.tree(head);
      const [aboutOid, bundleOid] = [oids.get(aboutPath), oids.get(bundlePath)];
      if (aboutOid === undefined || bundleOid === undefined) throw broken(ref);
      const contents = await remote.objects([aboutOid, bundleOid]);
      const { baseSha } = parseAbout(contents.get(aboutOid) ?? "", ref);
      const kept = Buffer.from(contents.get(bundleOid) ?? "", "base64");
      // A sealed bundle shows its commit only when it is opened, because its context names the commit.
      if (!sealed && !bundleHolds(kept, sha)) throw broken(ref);
      const about: KeptCommit = { runId, baseSha, sealed };
      this.#about.set(sha, about);
      return { about, kept };
    });
  }

  #serially<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(body, body);
    this.#tail = mine.catch(() => {});
    return mine;
  }
}

function parseAbout(text: string, ref: string): z.infer<typeof aboutSchema> {
  try {
    return aboutSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw broken(ref, thrown);
  }
}

/**
 * A bundle has a signature, lines that each begin with an object name, and a blank line. Source:
 * https://git-scm.com/docs/gitformat-bundle
 */
function bundleHolds(bytes: Buffer, sha: string): boolean {
  const end = bytes.indexOf("\n\n");
  const [signature = "", ...lines] = bytes.toString("latin1", 0, Math.max(end, 0)).split("\n");
  return /^# v[23] git bundle$/.test(signature) && lines.some((line) => line.startsWith(`${sha} `));
}

function broken(ref: string, cause?: unknown): BatonError {
  return new BatonError("BATON_STATE_BROKEN", `${ref} does not hold the commit that its name says.`, { cause });
}

function rowsOf(namespace: string, refs: Iterable<string>): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const ref of refs) {
    const [runId = "", name = ""] = ref.slice(keptPrefix(namespace).length).split("/");
    const sealed = name.endsWith(sealedEnd);
    rows.set(sealed ? name.slice(0, -sealedEnd.length) : name, { ref, runId: runId as RunId, sealed });
  }
  return rows;
}

function contextOf(sha: string, { runId, baseSha }: { runId: string; baseSha: string }): string {
  return `${runId} ${baseSha} ${sha}`;
}
