/**
 * The state refs of one repository, as git moves them: look, fetch, commit, compare-and-swap.
 *
 * Owns: the bare scratch repository, plumbing, the meaning of a failed push. Does not own: the meaning of the files
 * (`files.ts`).
 * GR1 Baton writes only the refs that the caller names, here and on the remote. It never force-pushes over an unseen
 *     commit.
 * GR2 The remote's refs and history decide whether a push arrived, never an exit code alone, because answers get lost.
 */
import { PassThrough } from "node:stream";
import { BatonError, hasCode } from "../../core/errors.ts";
import { type GitOptions, type GitResult, git } from "../workspace/git-command.ts";
import { ownRepository } from "../workspace/own-repository.ts";

export interface RemoteOptions {
  /** Directory of the scratch repository. The first call creates it. */
  gitDir: string;
  /** Without credentials. */
  url: string;
  token(): Promise<string | null>;
}

export interface RefUpdate {
  ref: string;
  /** The commit that the remote should have now. Null: no such ref. */
  expected: string | null;
  /** Null removes the ref. */
  sha: string | null;
}

export interface NewCommit {
  /** Null for the first commit of a ref. */
  parent: string | null;
  message: string;
  at: number;
  /** A function, for files that name earlier commits of the same call. */
  files: CommitFiles | ((made: readonly string[]) => CommitFiles);
}

/** Path to content, or to an object that is here already. Null removes the path. */
type CommitFiles = ReadonlyMap<string, string | { oid: string } | null>;

/**
 * `moved`: another process was first, and none of our writes arrived. `refused`: the host rejects such a ref or such a
 * change of it.
 */
export type PushOutcome =
  | { kind: "done" }
  | { kind: "moved" }
  | { kind: "refused"; message: string }
  | { kind: "failed"; message: string };

/** How far back Baton searches for the commit of a lost answer. */
const historyDepth = 200;
const networkTimeoutMs = 60_000;
/** Words of hosts that reject a ref, in contrast to busy or broken hosts. */
const refusal =
  /\[remote rejected\].*(declined|den(y|ied)|hidden|prohibited|protected|rule|not allowed|funny refname|non-fast-forward)/i;

/** Words of hosts for a token without permission. A later try with the token would fail, too. */
const denial =
  /returned error: 40[13]\b|Permission to \S+ denied|Write access to repository not granted|Authentication failed|could not read Username/i;

const objectName = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export class StateRemote {
  readonly #options: RemoteOptions;
  /** The number of pushes, including failed tries. */
  pushes = 0;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** The refs of this list that the remote has. */
  async heads(refs: readonly string[]): Promise<Map<string, string>> {
    const { stdout } = await this.#network(["ls-remote", this.#options.url, ...refs]);
    const heads = new Map<string, string>();
    for (const line of stdout.split("\n")) {
      const [sha = "", ref = ""] = line.split("\t");
      if (refs.includes(ref)) heads.set(ref, sha);
    }
    return heads;
  }

  /** Refs below a prefix, with their commits. */
  async below(prefix: string): Promise<Map<string, string>> {
    const { stdout } = await this.#network(["ls-remote", this.#options.url, `${prefix}*`]);
    const found = stdout.split("\n").map((line) => line.split("\t") as [string, string]);
    return new Map(found.filter(([, ref]) => ref?.startsWith(prefix)).map(([sha, ref]) => [ref, sha]));
  }

  /** Fetches the tips of these refs. Returns the commits found at that moment. */
  async fetch(refs: readonly string[], depth = 1): Promise<Map<string, string>> {
    if (refs.length === 0) return new Map();
    const specs = refs.map((ref) => `+${ref}:${localRef(ref)}`);
    await this.#network([
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      `--depth=${depth}`,
      this.#options.url,
      ...specs,
    ]);
    const { stdout } = await this.#local(["for-each-ref", "--format=%(refname) %(objectname)", "refs/fetched/"]);
    const found = new Map(stdout.split("\n").map((line) => line.split(" ") as [string, string]));
    return new Map(
      refs.map((ref) => {
        const sha = found.get(localRef(ref));
        if (sha === undefined) throw new BatonError("BATON_GIT_FAILED", `git did not fetch ${ref}.`);
        return [ref, sha];
      }),
    );
  }

  /** Paths of a commit with their object names. */
  async tree(sha: string): Promise<Map<string, string>> {
    const { stdout } = await this.#local(["ls-tree", "-r", "-z", sha]);
    const paths = new Map<string, string>();
    for (const row of stdout.split("\0")) {
      const [meta = "", path = ""] = row.split("\t");
      const oid = meta.split(" ")[2];
      if (oid !== undefined && path !== "") paths.set(path, oid);
    }
    return paths;
  }

  async object(oid: string): Promise<string> {
    return (await this.#local(["cat-file", "blob", oid])).stdout;
  }

  /** Several objects in one call. */
  async objects(oids: readonly string[]): Promise<Map<string, string>> {
    if (oids.length === 0) return new Map();
    const { bytes } = await this.#local(["cat-file", "--batch"], { input: oids.map((oid) => `${oid}\n`).join("") });
    const contents = new Map<string, string>();
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(10, at);
      const [oid = "", type, size = ""] = bytes.toString("utf8", at, Math.max(at, end)).split(" ");
      const from = end + 1;
      at = from + Number(size) + 1;
      // `<name> missing` has no size, and a cut answer ends too early.
      if (type !== "blob" || !/^\d+$/.test(size) || at > bytes.length) break;
      contents.set(oid, bytes.toString("utf8", from, at - 1));
    }
    const without = oids.find((oid) => !contents.has(oid));
    if (without !== undefined)
      throw new BatonError("BATON_GIT_FAILED", `git did not give the file ${without} of the state.`);
    return contents;
  }

  /** Makes the commits in one call, without publishing them. */
  async commit(commits: readonly NewCommit[]): Promise<string[]> {
    const made: string[] = [];
    if (commits.length === 0) return made;
    const input = new PassThrough();
    const say = (): void => {
      const next = commits[made.length];
      if (next !== undefined) input.write(spoken(next, made));
      // An answer too many must not end it twice.
      else if (!input.writableEnded) input.end("done\n");
    };
    let heard = "";
    say();
    // fast-import answers each commit with its name, on a stream that Baton reads meanwhile.
    const { stderr } = await this.#local(["fast-import", "--quiet", "--force", "--done", "--cat-blob-fd=2"], {
      input,
      onProgress(text) {
        const lines = `${heard}${text}`.split("\n");
        heard = lines.pop() ?? "";
        for (const line of lines) {
          if (!objectName.test(line)) continue;
          made.push(line);
          say();
        }
      },
    });
    if (made.length !== commits.length)
      throw new BatonError(
        "BATON_GIT_FAILED",
        `git named ${made.length} of ${commits.length} new commits of the state. ${stderr.trim().slice(-1_000)}`.trim(),
      );
    return made;
  }

  /** All of the updates or none. */
  async push(updates: readonly RefUpdate[]): Promise<PushOutcome> {
    const args = ["push", "--porcelain", "--atomic", "--no-verify"];
    for (const { ref, expected } of updates) args.push(`--force-with-lease=${ref}:${expected ?? ""}`);
    args.push(this.#options.url, ...updates.map(({ ref, sha }) => `${sha ?? ""}:${ref}`));
    this.pushes += 1;
    const { exitCode, stdout, stderr } = await this.#network(args, { okCodes: [1, 128, -1] });
    if (exitCode === 0) return { kind: "done" };
    if (denial.test(stderr)) throw denied("written", stderr);
    const message = `${stderr.trim()} ${rejections(stdout).join(" ")}`.trim().slice(-1_000);
    const heads = await this.heads(updates.map(({ ref }) => ref));
    const isAt = (wanted: (update: RefUpdate) => string | null): boolean =>
      updates.every((update) => (heads.get(update.ref) ?? null) === wanted(update));
    if (isAt(({ sha }) => sha)) return { kind: "done" };
    if (isAt(({ expected }) => expected))
      return rejections(stdout).some((line) => refusal.test(line))
        ? { kind: "refused", message }
        : { kind: "failed", message };
    // A clear refusal means that nothing arrived. After silence, the push may have arrived, and others may have
    // continued from it.
    if (rejections(stdout).length === 0 && (await this.#arrived(updates))) return { kind: "done" };
    return { kind: "moved" };
  }

  async #arrived(updates: readonly RefUpdate[]): Promise<boolean> {
    const [update] = updates;
    if (update === undefined || update.sha === null) return false;
    return this.descends(update.ref, update.sha);
  }

  /** Whether a ref of the remote descends from a commit. The search goes as far back as for a lost answer. */
  async descends(ref: string, ancestor: string): Promise<boolean> {
    const fetched = await this.fetch([ref], historyDepth);
    const head = fetched.get(ref) ?? "";
    const { exitCode } = await this.#local(["merge-base", "--is-ancestor", ancestor, head], { okCodes: [1, 128] });
    return exitCode === 0;
  }

  async #local(args: string[], options: GitOptions = {}) {
    const gitDir = await ownRepository({ gitDir: this.#options.gitDir, shallow: true });
    return git(args, { gitDir, ...options });
  }

  async #network(args: string[], options: GitOptions = {}): Promise<GitResult> {
    const token = await this.#options.token();
    try {
      return await this.#local(args, { token, url: this.#options.url, timeoutMs: networkTimeoutMs, ...options });
    } catch (thrown) {
      if (hasCode(thrown, "BATON_GIT_FAILED") && denial.test((thrown as BatonError).message))
        throw denied("read", (thrown as BatonError).message);
      throw thrown;
    }
  }
}

/** A commit in the syntax of fast-import, with the request for its name. */
function spoken({ parent, message, at, files }: NewCommit, made: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  const text = (line: string): void => void parts.push(Buffer.from(line));
  const data = (content: string): void => {
    const bytes = Buffer.from(content);
    parts.push(Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from("\n"));
  };
  const mark = `:${made.length + 1}`;
  text(`commit refs/made/${made.length}\nmark ${mark}\n`);
  text(`committer Baton <baton@users.noreply.github.com> ${Math.floor(at / 1_000)} +0000\n`);
  data(message);
  if (parent !== null) text(`from ${parent}\n`);
  for (const [path, content] of typeof files === "function" ? files(made) : files) {
    if (content === null) text(`D ${path}\n`);
    else if (typeof content === "object") text(`M 100644 ${content.oid} ${path}\n`);
    else {
      text(`M 100644 inline ${path}\n`);
      data(content);
    }
  }
  text(`get-mark ${mark}\n`);
  return Buffer.concat(parts);
}

function denied(what: "read" | "written", message: string): BatonError {
  return new BatonError(
    "BATON_GIT_DENIED",
    `The repository could not be ${what} with the job's token: ${message.trim().slice(-1_000)}`,
  );
}

function localRef(ref: string): string {
  return `refs/fetched/${ref.slice("refs/".length)}`;
}

function rejections(porcelain: string): string[] {
  return porcelain.split("\n").filter((line) => line.startsWith("!"));
}
