/**
 * What a repository says to coding agents, gathered once when a run begins.
 *
 * B1 Read at the base commit only: neither the head that is judged nor the thread can add to it.
 * B2 Bounded in length. Every file is given or named: its path stands there without a text where there was no room.
 * B3 Files for all come first, then those of folders, the nearest to the root first; pages for single tools come last.
 */
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { ProjectInstruction } from "../prompt/facts.ts";
import { cut } from "../text/cut.ts";

/** What is meant for all agents first. Harnesses are started so that they read none of these by themselves. */
const names = ["agents.md", "claude.md", "gemini.md"];
/** Of a tool, about the whole: read where there is room. Instructions for some files say which at their top. */
const pages = /^\.github\/(?:copilot-instructions\.md|instructions\/(?:[^/]+\/)*[^/]+\.instructions\.md)$/;

/** Files of folders: each is read by a call of its own. */
const readMax = 24;
/** Named without being read: a list that an agent can still take in. */
const namedMax = 200;
/** Code of others, and what tests are made of, speaks to nobody who works here. */
const foreign = /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|testdata)\//;
/** Shorter pieces of a file say nothing. */
const pieceMin = 200;

export async function projectInstructions(
  github: Pick<Github, "file" | "setup">,
  repository: Repository,
  baseSha: string,
): Promise<ProjectInstruction[]> {
  const found: ProjectInstruction[] = [];
  let left: number = limits.promptInstructionsCharactersMax;
  let read = 0;
  const { paths: all } = await github.setup(repository).paths(baseSha);
  for (const path of inOrder(all).slice(0, namedMax)) {
    if (left < pieceMin || read >= readMax) {
      found.push({ path, text: "" });
      continue;
    }
    read += 1;
    const text = (await github.file(repository, path, baseSha))?.trim() ?? "";
    if (text === "" || saysNothingNew(path, text, found)) continue;
    const part = cut(text, left);
    found.push({ path, text: part });
    left -= part.length;
  }
  return found;
}

/** B3 */
function inOrder(all: readonly string[]): string[] {
  const rank = (path: string): number => {
    if (pages.test(path)) return names.length;
    return names.indexOf(nameOf(path).toLowerCase());
  };
  return all
    .filter((path) => !foreign.test(path) && rank(path) >= 0)
    .toSorted(
      (a, b) =>
        Number(pages.test(a)) - Number(pages.test(b)) || depthOf(a) - depthOf(b) || byFolder(a, b) || rank(a) - rank(b),
    );
}

function byFolder(a: string, b: string): number {
  const [one, other] = [folderOf(a), folderOf(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

function depthOf(path: string): number {
  const folder = folderOf(path);
  return folder === "" ? 0 : folder.split("/").length;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The same text under another name, a link to it (git keeps its target as the content), or a line that includes it: in its own folder. */
function saysNothingNew(at: string, text: string, found: readonly ProjectInstruction[]): boolean {
  const folder = folderOf(at);
  return found.some((one) => {
    if (folderOf(one.path) !== folder || one.text === "") return false;
    const name = nameOf(one.path);
    return one.text === text || [name, `./${name}`, `@${name}`, `@./${name}`, `../${name}`].includes(text);
  });
}

/** The folder that a file speaks of: that of `.claude` and `.github` is the one around it. */
function folderOf(path: string): string {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  if (pages.test(path)) return "";
  return folder.replace(/(?:^|\/)\.(?:claude|github)$/, "");
}
