/**
 * `sandbox.setup` of one attempt: its commands run in the workspace before the agent gets a prompt or money.
 *
 * Owns: when they run, with which cache, and the effect of their failure. Does not own: running them (`setup.ts`).
 * ST1 Outside the sandbox they need the operator's permission, like every program that a repository names.
 */
import { children } from "../../adapters/child/children.ts";
import { agentEnvironment } from "../../adapters/system/agent-environment.ts";
import type { Settings } from "../../config/schema.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { SandboxDecision } from "../../policy/sandbox.ts";
import type { RepositoryAccess, Workspace } from "../../ports/workspace.ts";
import { confine } from "./confine.ts";
import { attemptMarker, type PerformContext } from "./performer.ts";
import { type CacheUse, decidesInstall, runSetup, setupKey } from "./setup.ts";

const outputCharactersMax = 2_000;

/** Returns the variables that show the agent where the setup's downloads are. */
export async function setUp(
  context: PerformContext,
  given: {
    settings: Settings;
    workspace: Workspace;
    sandboxed: SandboxDecision;
    access: RepositoryAccess;
    /** The commit that the workspace begins at. */
    baseSha: string;
    /** No agent worked on that commit before. */
    isFresh: boolean;
    report(note: string): void;
  },
): Promise<Record<string, string>> {
  const { dependencies, state, effect, attempt, signal } = context;
  const { settings, workspace, sandboxed, report } = given;
  const commands = settings.sandbox.setup;
  if (commands.length === 0) return {};
  const marker = attemptMarker(dependencies, state, effect, attempt);
  // Without the ports of Baton's services: a setup calls no model.
  const { confinement } = confine(dependencies, sandboxed, { settings, workspace, harness: null, onDenied: report });
  if (confinement === null && !dependencies.repositoryCommands)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      "`sandbox.setup` in `baton.yaml` needs the sandbox, and agents here run without one. The operator can allow it with BATON_REPOSITORY_COMMANDS=allow.",
    );
  report(`Setup: ${commands[0]?.slice(0, 80)}${commands.length > 1 ? ` and ${commands.length - 1} more` : ""}`);
  const end = await runSetup({
    children,
    confinement,
    workspace: { path: workspace.path, homePath: workspace.homePath },
    commands,
    env: agentEnvironment({ homePath: workspace.homePath, attemptMarker: marker, variables: {} }, {}),
    timeoutMs: settings.limits.agentMinutes * 60_000,
    outputCharactersMax,
    marker,
    signal,
    redact: dependencies.redact,
    cache: await cacheOf(context, given),
  });
  const last = end.steps.at(-1);
  if (end.ok || last === undefined) return end.variables;
  if (last.aborted) throw new BatonError("BATON_CANCELLED", "The setup was stopped.");
  const how = last.timedOut ? "took too long" : `ended with ${last.signal ?? `exit code ${last.exitCode}`}`;
  throw new BatonError(
    "BATON_SETUP_FAILED",
    `\`${last.command.slice(0, 200)}\` of \`sandbox.setup\` ${how}: ${last.output.trim().slice(-400) || "no output"}`,
  );
}

async function cacheOf(
  { dependencies, state }: PerformContext,
  {
    settings,
    access,
    baseSha,
    isFresh,
  }: { settings: Settings; access: RepositoryAccess; baseSha: string; isFresh: boolean },
): Promise<CacheUse | null> {
  const { packageCaches, workspaces } = dependencies;
  if (packageCaches === undefined) return null;
  const paths = (await workspaces.listFiles(access, baseSha)).filter(decidesInstall);
  const states = await workspaces.pathStates(access, baseSha, paths.slice(0, limits.setupPathsMax));
  const tree = states.flatMap(({ path, blob }) => (blob === null ? [] : [{ path, objectId: blob }]));
  const main = await workspaces.fetch(access, state.thread.repository.defaultBranch);
  return {
    caches: packageCaches,
    repositoryId: access.repository.id,
    key: setupKey(settings.sandbox.setup, tree),
    mayWrite: isFresh && (await workspaces.isAncestor(access, baseSha, main)),
  };
}
