/** Processes in a clone: Baton's own and the files of its folder, as a commit would show them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { builtInProcesses } from "../../processes/index.ts";
import { processFolder, RepositoryProcesses } from "../begin/load-processes.ts";
import type { Github } from "../ports/github.ts";

export function inFolder(directory: string): string[] {
  const folder = join(directory, processFolder);
  return filesOf(folder, ".yaml").map((file) => join(folder, file));
}

/** Files that look like processes but are not. */
export function misnamedIn(directory: string): string[] {
  return filesOf(join(directory, processFolder), ".yml");
}

function filesOf(folder: string, extension: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(extension))
    .toSorted();
}

/** Reads the folder as a commit would show it. */
export function beside(folder: string): RepositoryProcesses {
  return processesOf({
    directory: async () => (existsSync(folder) ? readdirSync(folder) : []),
    file: async (_, path) => {
      const local = join(folder, basename(path));
      return existsSync(local) ? readFileSync(local, "utf8") : null;
    },
  });
}

/** A folder in which each process has this text. */
export function allWith(text: string): RepositoryProcesses {
  return processesOf({ directory: async () => [], file: async () => text });
}

function processesOf(github: Pick<Github, "file" | "directory">): RepositoryProcesses {
  const repository = { id: 0, owner: "", name: "", defaultBranch: "", installationId: 0 };
  return new RepositoryProcesses(builtInProcesses(), github, repository, "worktree");
}
