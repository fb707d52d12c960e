/**
 * What a repository says to coding agents, gathered once when a run begins.
 *
 * B1 Read at the base commit only: neither the head that is judged nor the thread can add to it.
 * B2 Bounded: files in the order below, then those of folders, the outer ones first; each told with its path, cut with an honest mark.
 */
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { ProjectInstruction } from "../prompt/facts.ts";
import { cut } from "../thread/cut.ts";

/** What is meant for all agents first. Harnesses are started so that they read none of these by themselves. */
const paths = ["AGENTS.md", "CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md"] as const;

/** Of folders: the same names, each read by a call of its own. */
const nestedName = /^(?:AGENTS|CLAUDE|GEMINI)\.md$/;
const nestedMax = 12;
/** Code of others, and what tests are made of, speaks to nobody who works here. */
const foreign = /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|testdata)\//;

export async function projectInstructions(
  github: Pick<Github, "file" | "setup">,
  repository: Repository,
  baseSha: string,
): Promise<ProjectInstruction[]> {
  const found: ProjectInstruction[] = [];
  let left: number = limits.promptInstructionsCharactersMax;
  const { paths: all } = await github.setup(repository).paths(baseSha);
  const nested = all
    .filter(
      (path) => path.includes("/") && nestedName.test(path.slice(path.lastIndexOf("/") + 1)) && !foreign.test(path),
    )
    .toSorted((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1))
    .slice(0, nestedMax);
  for (const path of [...paths.filter((one) => all.includes(one)), ...nested]) {
    const text = (await github.file(repository, path, baseSha))?.trim() ?? "";
    if (left <= 0 || text === "" || saysNothingNew(path, text, found)) continue;
    found.push({ path, text: cut(text, left) });
    left -= text.length;
  }
  return found;
}

/** The same text under another name, a link to it (git keeps its target as the content), or a line that includes it: in its own folder. */
function saysNothingNew(at: string, text: string, found: readonly ProjectInstruction[]): boolean {
  const folder = folderOf(at);
  return found.some((one) => {
    if (folderOf(one.path) !== folder) return false;
    const name = one.path.slice(one.path.lastIndexOf("/") + 1);
    return one.text === text || [name, `./${name}`, `@${name}`, `@./${name}`, `../${name}`].includes(text);
  });
}

/** The page for Copilot stands in a folder, and speaks of the whole. */
function folderOf(path: string): string {
  return path.startsWith(".github/") ? "" : path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
