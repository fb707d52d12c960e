/**
 * What a repository says to coding agents, gathered once when a run begins.
 *
 * B1 Read at the base commit only: neither the head that is judged nor the thread can add to it.
 * B2 Bounded: files in the order below, each told with its path, cut with an honest mark.
 */
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { ProjectInstruction } from "../prompt/facts.ts";
import { cut } from "../thread/cut.ts";

/** What is meant for all agents first. Harnesses are started so that they read none of these by themselves. */
const paths = ["AGENTS.md", "CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md"] as const;

export async function projectInstructions(
  github: Pick<Github, "file">,
  repository: Repository,
  baseSha: string,
): Promise<ProjectInstruction[]> {
  const found: ProjectInstruction[] = [];
  let left: number = limits.promptInstructionsCharactersMax;
  for (const path of paths) {
    const text = (await github.file(repository, path, baseSha))?.trim() ?? "";
    if (left <= 0 || text === "" || saysNothingNew(text, found)) continue;
    found.push({ path, text: cut(text, left) });
    left -= text.length;
  }
  return found;
}

/** The same text under another name, a link to it (git keeps its target as the content), or a line that includes it. */
function saysNothingNew(text: string, found: readonly ProjectInstruction[]): boolean {
  if (found.some((one) => one.text === text)) return true;
  return found.some(({ path }) => [path, `./${path}`, `../${path}`, `@${path}`, `@./${path}`].includes(text));
}
