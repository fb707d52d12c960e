/**
 * Files that an agent asks Baton for, by the Agent Client Protocol.
 *
 * AF1 Only inside the workspace, links followed; never its git directory. What is outside is refused, not told from what is missing.
 * AF2 Nothing is written for a step that may only read.
 */
import { lstat, mkdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

const fileBytesMax = 16 * 1024 * 1024;

export class FileRefused extends Error {}

export async function readWorkspaceFile(
  workspace: string,
  path: string,
  from: number | null = null,
  lines: number | null = null,
): Promise<string> {
  const file = await inside(workspace, path);
  if ((await stat(file)).size > fileBytesMax) throw new FileRefused("The file is too large.");
  const content = await readFile(file, "utf8");
  if (from === null && lines === null) return content;
  const start = Math.max(1, from ?? 1) - 1;
  const all = content.split("\n");
  return all.slice(start, lines === null ? all.length : start + lines).join("\n");
}

export async function writeWorkspaceFile(workspace: string, path: string, content: string): Promise<void> {
  const file = await inside(workspace, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** The real path, whether or not the file is there yet. */
async function inside(workspace: string, path: string): Promise<string> {
  const root = await realpath(workspace);
  const wanted = await real(resolve(root, path));
  const way = relative(root, wanted);
  const isOutside = way === "" || isAbsolute(way) || way === ".." || way.startsWith(`..${sep}`);
  if (isOutside || way.split(sep).some((part) => part.toLowerCase() === ".git"))
    throw new FileRefused("The path is not in the workspace.");
  return wanted;
}

/** Of what does not exist, the nearest folder that does is looked at; a link to nowhere counts as outside. */
async function real(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    if (above === path || (await isLink(path))) throw new FileRefused("The path is not in the workspace.");
    return join(await real(above), relative(above, path));
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}
