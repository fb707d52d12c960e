/** The contents of a git repository, read by simple-git, so that the product's git code does not judge itself (ADR 4). */
import { type SimpleGit, simpleGit } from "simple-git";

export interface ReadCommit {
  sha: string;
  parents: string[];
  author: string;
  committer: string;
  subject: string;
  /** Lines `Key: value`. */
  trailers: string[];
}

export interface GitReader {
  /** Newest first. */
  commits(range: string): Promise<ReadCommit[]>;
  /** Full ref names to commits. */
  refs(): Promise<Record<string, string>>;
  file(ref: string, path: string): Promise<string>;
}

/** Reads a repository on this machine. */
export function gitReader(directory: string): GitReader {
  return readerOf(simpleGit(directory));
}

/** Reads a repository at an address, as anybody who clones it gets it. */
export async function clonedReader(url: string, directory: string): Promise<GitReader> {
  await simpleGit().clone(url, directory, ["--quiet", "--mirror"]);
  return gitReader(directory);
}

function readerOf(git: SimpleGit): GitReader {
  return {
    async commits(range) {
      const format = {
        sha: "%H",
        parents: "%P",
        author: "%an",
        committer: "%cn",
        subject: "%s",
        trailers: "%(trailers:only,unfold)",
      };
      const { all } = await git.log({ [range]: null, format, multiLine: true });
      return all.map(({ parents, trailers, ...rest }) => ({
        ...rest,
        parents: parents.split(" ").filter((parent) => parent !== ""),
        trailers: trailers.split("\n").filter((line) => line !== ""),
      }));
    },
    async refs() {
      const text = await git.raw("for-each-ref", "--format=%(refname) %(objectname)");
      return Object.fromEntries(
        text
          .trim()
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => line.split(" ") as [string, string]),
      );
    },
    file: (ref, path) => git.show(`${ref}:${path}`),
  };
}
