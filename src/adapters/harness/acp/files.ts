/**
 * Files that an agent requests from Baton over the Agent Client Protocol.
 *
 * AF1 Only inside the workspace, never its git directory. Baton resolves links first, and follows none that appears
 *     later. A path outside and a missing path get the same answer.
 * AF2 Baton writes nothing for a step that may only read.
 */
import { closeSync, constants, fstatSync, ftruncateSync, writeFileSync } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { openBelow, readAgentFile } from "../../system/agent-files.ts";

const { O_CREAT, O_WRONLY } = constants;
const fileBytesMax = 16 * 1024 * 1024;

export class FileRefused extends Error {}

export async function readWorkspaceFile(
  workspace: string,
  path: string,
  from: number | null = null,
  lines: number | null = null,
): Promise<string> {
  const place = await inside(workspace, path);
  const content = readAgentFile(await realpath(workspace), place, fileBytesMax);
  if (content === null) {
    // A missing file throws the error that becomes the protocol's "not found".
    await lstat(place);
    throw new FileRefused("The path is not a file, or the file is too large.");
  }
  return linesOf(content.toString("utf8"), from, lines);
}

function linesOf(content: string, from: number | null, lines: number | null): string {
  if (from === null && lines === null) return content;
  const start = Math.max(1, from ?? 1) - 1;
  const all = content.split("\n");
  return all.slice(start, lines === null ? all.length : start + lines).join("\n");
}

export async function writeWorkspaceFile(workspace: string, path: string, content: string): Promise<void> {
  const file = openBelow(await realpath(workspace), await inside(workspace, path), O_WRONLY | O_CREAT, true);
  try {
    if (!fstatSync(file).isFile()) throw new FileRefused("The path is not a file.");
    ftruncateSync(file);
    writeFileSync(file, content);
  } finally {
    closeSync(file);
  }
}

/** The real path, whether or not the file exists yet. */
async function inside(workspace: string, path: string): Promise<string> {
  const root = await realpath(workspace);
  const wanted = await real(resolve(root, path));
  const way = relative(root, wanted);
  const isOutside = way === "" || isAbsolute(way) || way === ".." || way.startsWith(`..${sep}`);
  if (isOutside || way.split(sep).some((part) => part.toLowerCase() === ".git"))
    throw new FileRefused("The path is not in the workspace.");
  return wanted;
}

/** For a missing path, the nearest existing folder decides. A dangling link counts as outside. */
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
