/** A remote, a Baton's workspaces and an agent's git, for tests of an agent's results. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { silentLog } from "../src/adapters/system/log.ts";
import { useGit } from "../src/adapters/workspace/git-command.ts";
import { unmountBelow } from "../src/adapters/workspace/mounts.ts";
import { overlayObstacle, type WorkspaceWay } from "../src/adapters/workspace/probe-overlay.ts";
import { createWorkspaces, type HostWorkspaces } from "../src/adapters/workspace/workspaces.ts";
import type { RunId } from "../src/core/vocabulary.ts";
import type { ImportOptions, ImportResult, RepositoryAccess, Workspace } from "../src/ports/workspace.ts";

const probe = mkdtempSync(join(tmpdir(), "baton-probe-"));
/** Why this machine cannot mount an overlay. null: it can. */
const obstacle = await overlayObstacle(probe);
rmSync(probe, { recursive: true, force: true });

/** The git of this system, and the one of BATON_TEST_GIT (`tools/current-git.sh` unpacks one). */
export const currentGit = process.env["BATON_TEST_GIT"] ?? null;
const gits: [string, string | null][] = [["the system's git", null]];
if (currentGit !== null) gits.push(["a current git", currentGit]);
const ways: WorkspaceWay[] = obstacle === null ? ["checkout", "overlay"] : ["checkout"];
export const settings: { name: string; binary: string | null; way: WorkspaceWay }[] = gits.flatMap(([name, binary]) =>
  ways.map((way) => ({ name: `${name}, by ${way}`, binary, way })),
);

export const runId = "run_0123456789abcdef" as RunId;
export const importOptions: ImportOptions = {
  identity: { name: "baton[bot]", email: "1+baton[bot]@users.noreply.github.com" },
  trailers: ["Baton-Run: run_x"],
  rescueSubject: "Save what was left",
  limits: { filesMax: 200, blobBytesMax: 1_000_000, importBytesMax: 5_000_000 },
};

export interface WorkspaceWorld {
  root: string;
  access: RepositoryAccess;
  workspaces: HostWorkspaces;
  base: string;
  sh(cwd: string, ...args: string[]): string;
  create(name?: string): Promise<Workspace>;
  bring(name?: string): Promise<ImportResult>;
  stray(name?: string): Promise<string[]>;
  /** Bytes of a file at a commit of the trusted repository. */
  blob(sha: string, path: string): Buffer;
  end(): Promise<void>;
}

export type Files = Record<string, string | Buffer>;

export function write(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

export async function workspaceWorld(
  { binary, way }: { binary: string | null; way: WorkspaceWay },
  files: Files,
  /** Bytes that git stores unchanged, whatever attributes say. */
  prepare: (seed: string, sh: WorkspaceWorld["sh"]) => void = () => {},
): Promise<WorkspaceWorld> {
  useGit(binary);
  const root = mkdtempSync(join(tmpdir(), "baton-world-"));
  const path = process.env["PATH"] ?? "";
  const env = {
    PATH: binary === null ? path : `${dirname(binary)}${delimiter}${path}`,
    HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const run = (cwd: string, args: string[]): Buffer =>
    execFileSync(binary ?? "git", ["-c", "user.name=agent", "-c", "user.email=agent@example.com", ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env,
    });
  const sh = (cwd: string, ...args: string[]): string => run(cwd, args).toString().trim();
  const remote = join(root, "remote.git");
  const seed = join(root, "seed");
  mkdirSync(seed);
  write(seed, files);
  sh(root, "init", "-q", "--bare", "-b", "main", remote);
  sh(seed, "init", "-q", "-b", "main");
  sh(seed, "add", "-A");
  prepare(seed, sh);
  sh(seed, "commit", "-qm", "first");
  sh(seed, "push", "-q", remote, "main");
  const access: RepositoryAccess = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: remote,
    token: async () => null,
  };
  const workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, way });
  const base = await workspaces.fetch(access, "main");
  return {
    root,
    access,
    workspaces,
    base,
    sh,
    create: (name = "w") => workspaces.create(access, { runId, name, baseSha: base }),
    bring: (name = "w") => workspaces.import(access, { runId, name, baseSha: base }, importOptions),
    stray: (name = "w") => workspaces.strayChanges(access, { runId, name, baseSha: base }),
    blob: (sha, file) => run(join(root, "baton", "trusted", "7.git"), ["cat-file", "blob", `${sha}:${file}`]),
    async end() {
      await unmountBelow(root);
      rmSync(root, { recursive: true, force: true });
      useGit(null);
    },
  };
}
