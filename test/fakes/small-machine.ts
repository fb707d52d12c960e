/**
 * Workspaces and an agent as plain data, for simulations: an edit is a name, and a commit is a number.
 * The contents of a workspace outlive the App's process, as on a disk.
 */

import { planOf } from "../../packages/local-github/demo/sample.ts";
import { BatonError } from "../../src/core/errors.ts";
import type { Clock, Random } from "../../src/ports/clock.ts";
import type { Harness, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import type { ImportResult, RepositoryAccess, Workspaces } from "../../src/ports/workspace.ts";
import { bot, type SmallGithub } from "./small-github.ts";

interface Place {
  baseSha: string;
  edited: boolean;
  /** The head of the commit from an import. A second import finds the same commit. */
  headSha: string | null;
}

const noFiles = { files: [], commits: 0, rescued: false };

/** The disk: survives every death. */
export class SmallDisk {
  readonly places = new Map<string, Place>();
  readonly commits = new Set<string>();
  pushes = 0;
}

export function smallWorkspaces(disk: SmallDisk, github: SmallGithub): Workspaces {
  const pathOf = ({ runId, name }: { runId: string; name: string }): string => `${runId}/${name}`;
  const none = async (): Promise<never> => {
    throw new BatonError("BATON_INTERNAL", "Not part of this simulation.");
  };
  return {
    fetch: async (_, ref) => github.branches.get(ref) ?? ref,
    async create(_, options) {
      const path = pathOf(options);
      disk.places.set(path, { baseSha: options.baseSha, edited: false, headSha: null });
      return { path, homePath: `${path}/home`, baseSha: options.baseSha, writable: [path], readable: [] };
    },
    async import(_, options): Promise<ImportResult> {
      const place = disk.places.get(pathOf(options));
      if (place === undefined) throw new BatonError("BATON_GIT_FAILED", `No workspace ${pathOf(options)}.`);
      // An attempt that continued from saved work has that work, whatever it added itself.
      if (!place.edited) {
        const saved = place.baseSha !== options.baseSha && disk.commits.has(place.baseSha);
        return saved ? { ...changed, headSha: place.baseSha } : { headSha: null, ...noFiles };
      }
      place.headSha ??= github.newSha();
      disk.commits.add(place.headSha);
      return { ...changed, headSha: place.headSha };
    },
    async remove(_, options) {
      disk.places.delete(pathOf(options));
    },
    async push(_: RepositoryAccess, { branch, sha, expectedSha }) {
      const head = github.branches.get(branch) ?? null;
      if (head === sha) return;
      if (head !== expectedSha)
        throw new BatonError("BATON_BRANCH_MOVED", `${branch} is at ${head}, not at ${expectedSha}.`);
      if (!disk.commits.has(sha)) throw new BatonError("BATON_GIT_FAILED", `${sha} is not here.`);
      disk.pushes += 1;
      github.push(branch, sha, bot);
    },
    strayChanges: async () => [],
    scan: async () => {},
    pushKept: async () => {},
    dropKept: async () => {},
    commits: async () => [],
    bundle: async () => null,
    join: none,
    adoptBundle: none,
    importBundle: none,
    remoteHead: async (_, branch) => github.branches.get(branch) ?? null,
    deleteRemoteBranch: async (_, { branch }) => void github.branches.delete(branch),
    readFile: async () => null,
    listFiles: async () => [],
    diffStat: async () => [],
    changes: async () => changed.files,
    diff: async () => ({ text: "", truncated: false }),
    pathStates: async (_, sha, paths) => paths.map((path) => ({ path, mode: "100644", blob: sha })),
    leftAt: async (_, baseSha) => baseSha,
    isAncestor: async () => true,
    collectGarbage: async () => ({ removed: [], kept: [] }),
  };
}

const changed = { files: [{ path: "note.txt", added: 1, removed: 0 }], commits: 1, rescued: false };

export interface SmallAgentOptions {
  disk: SmallDisk;
  clock: Clock;
  random: Random;
  costUsdMax: number;
  /** Between 0 and 1. */
  failing: () => number;
}

/** Works for some seconds, edits, and costs something. Sometimes it fails. */
export function smallAgent({ disk, clock, random, costUsdMax, failing }: SmallAgentOptions): Harness {
  const tokens = { input: 10, output: 10, cacheRead: 0, cacheWrite: 0 };
  return {
    name: "command",
    capabilities: {
      resume: false,
      readOnly: true,
      systemPrompt: true,
      maxTurns: false,
      maxUsd: false,
      reportsUsage: true,
      reportsCost: true,
      toolServers: true,
    },
    defaultModel: "small",
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run(request: HarnessRequest, onEvent, signal): Promise<HarnessResult> {
      const costUsd = Math.round(random.fraction() * costUsdMax * 100) / 100;
      const usage = (part: number) => ({ model: "small", tokens, costUsd: costUsd * part });
      const startedAt = clock.now();
      const end = (error: HarnessResult["error"], part: number): HarnessResult => ({
        ok: error === null,
        error,
        text: request.variables["BATON_ROLE"] === "plan" ? planOf("Done.") : "Done.",
        sessionId: null,
        usage: [usage(part)],
        turns: 1,
        exitCode: 0,
        signal: null,
        transcript: "worked",
        transcriptTruncated: false,
        durationMs: clock.now() - startedAt,
      });
      try {
        await clock.sleepUntil(clock.now() + random.fraction() * 20_000, signal);
        const place = disk.places.get(request.cwd);
        if (request.access === "write" && place !== undefined) place.edited = true;
        onEvent({ type: "usage", ...usage(0.5) });
        await clock.sleepUntil(clock.now() + random.fraction() * 20_000, signal);
      } catch {
        return end({ code: "BATON_CANCELLED", message: "Stopped." }, 0.5);
      }
      if (random.fraction() < failing()) return end({ code: "BATON_HARNESS_CRASHED", message: "It crashed." }, 1);
      return end(null, 1);
    },
  };
}
