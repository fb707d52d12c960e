/**
 * A repository's instructions to coding agents, gathered once when a run begins.
 *
 * B1 Baton reads them at the base commit only. Neither the head under review nor the thread can add to them.
 * B2 Their length is bounded. If there is no room for a file's text, its path is still named.
 * PJ1 For a run about some paths, files of other folders are only named.
 * B3 Files for all agents come first, then those of folders from the root down. Pages for single tools come last.
 */
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import { folderOfGlob } from "../policy/paths.ts";
import type { Github } from "../ports/github.ts";
import type { ProjectInstruction } from "../prompt/facts.ts";
import { cut } from "../text/cut.ts";

/** Files for all agents come first. Baton starts harnesses so that they do not read any of these themselves. */
const names = ["agents.md", "claude.md", "gemini.md"];
/**
 * Pages of one tool about the whole repository, read if there is room. Instructions for some files name those files at their
 * top.
 */
const pages = /^\.github\/(?:copilot-instructions\.md|instructions\/(?:[^/]+\/)*[^/]+\.instructions\.md)$/;

/** Files of folders: each one costs a call. */
const readMax = 24;
/** The most files that are named without being read, so that an agent can still read the list. */
const namedMax = 200;
/** Code of other projects and test data do not address anybody who works here. */
const foreign = /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|testdata)\//;
/** Shorter pieces of a file are useless. */
const pieceMin = 200;

export async function projectInstructions(
  github: Pick<Github, "file" | "setup">,
  repository: Repository,
  baseSha: string,
  /** Files and folders that the run is about. Empty: all. */
  about: readonly string[] = [],
): Promise<ProjectInstruction[]> {
  const found: ProjectInstruction[] = [];
  let left: number = limits.promptInstructionsCharactersMax;
  let read = 0;
  const { paths: all } = await github.setup(repository).paths(baseSha);
  for (const path of inOrder(all).slice(0, namedMax)) {
    if (left < pieceMin || read >= readMax || !concerns(folderOf(path), about)) {
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

/** PJ1: around one of the paths, or below it. */
function concerns(folder: string, about: readonly string[]): boolean {
  const isIn = (one: string, other: string): boolean => other === "" || one === other || one.startsWith(`${other}/`);
  return about.length === 0 || about.map(folderOfGlob).some((one) => isIn(one, folder) || isIn(folder, one));
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

/**
 * In its own folder: the same text under another name, a link to it, or a line that includes it. Git keeps a link's target
 * as its content.
 */
function saysNothingNew(at: string, text: string, found: readonly ProjectInstruction[]): boolean {
  const folder = folderOf(at);
  return found.some((one) => {
    if (folderOf(one.path) !== folder || one.text === "") return false;
    const name = nameOf(one.path);
    return one.text === text || [name, `./${name}`, `@${name}`, `@./${name}`, `../${name}`].includes(text);
  });
}

/** The folder that a file is about. For a file in `.claude` or `.github`, the folder around it. */
function folderOf(path: string): string {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  if (pages.test(path)) return "";
  return folder.replace(/(?:^|\/)\.(?:claude|github)$/, "");
}
