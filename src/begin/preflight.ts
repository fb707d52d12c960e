/** Checks before a run begins whether it can finish, with few parallel calls. `policy/preflight.ts` judges the results. */
import { BatonError } from "../core/errors.ts";
import type { Actor } from "../core/vocabulary.ts";
import { type PreflightFacts, preflight, pushingNeeds, type Without } from "../policy/preflight.ts";
import { anyCheck, unlessDenied } from "./any-check.ts";
import type { BeginContext } from "./context.ts";

export interface PreflightOptions {
  branch: { name: string; sha: string | null };
  base: { branch: string; sha: string };
  /** Things that a person said the run does without. */
  without: readonly Without[];
  /** The people who wrote the files that a schedule runs. */
  authors: readonly Pick<Actor, "id">[];
}

/** Returns the text that the thread gets when the run begins. */
export async function demandPreflight(context: BeginContext, options: PreflightOptions): Promise<string[]> {
  const { stops, notes, asks } = preflight(await gather(context, options));
  if (stops.length > 0) throw new BatonError("BATON_NOT_POSSIBLE", `Nothing was started. ${stops.join(" ")}`);
  const open = asks.filter(({ without }) => !options.without.includes(without));
  if (open.length === 0) return notes;
  const words = [...new Set([...options.without, ...open.map(({ without }) => without)])].join(",");
  throw new BatonError(
    "BATON_NEEDS_DECISION",
    `Nothing was started. ${open.map(({ text }) => text).join(" ")} To go on all the same, give the command again with \`--without ${words}\`.`,
  );
}

async function gather(context: BeginContext, { branch, base, authors }: PreflightOptions): Promise<PreflightFacts> {
  const { job, github: app } = context.dependencies;
  const { github, repository, settings, actor, pullRequest } = context;
  const isNew = branch.sha === null;
  const [first = ""] = branch.name.split("/");
  const [place, headRules, baseRules, neighbours, people, hasChecks, granted, speaker] = await Promise.all([
    unlessDenied(github.mergeSettings(repository)),
    unlessDenied(github.branchRules(repository, branch.name)),
    unlessDenied(github.branchRules(repository, base.branch)),
    isNew ? unlessDenied(github.branchesBeginning(repository, first)) : [],
    settings.breakpoints.review === "auto" ? null : unlessDenied(github.collaborators(repository)),
    hasAnyCheck(context, { sha: base.sha, base: base.branch, head: branch.name }),
    unlessDenied(github.granted(repository, job?.needs ?? pushingNeeds)),
    app.identity(),
  ]);
  return {
    archived: place?.archived ?? false,
    branch: branch.name,
    isNew,
    neighbours: neighbours ?? [],
    headRules: headRules ?? [],
    baseRules: baseRules ?? [],
    mergeMethods: place?.methods ?? null,
    hasChecks,
    people,
    requester: actor,
    authors,
    author: pullRequest?.author.kind === "user" ? pullRequest.author : null,
    opensPullRequest: pullRequest === null,
    speaksIn: pullRequest === null ? "issue" : "pull-request",
    granted,
    isPerson: speaker.bot.kind === "user",
    ...(job === undefined ? {} : { job }),
    settings,
  };
}

/** A job of Actions is itself a workflow, so only an App asks. */
function hasAnyCheck(
  { dependencies, github, repository, settings }: BeginContext,
  place: { sha: string; base: string; head: string },
): Promise<boolean | null> | null {
  if (dependencies.publicUrl === undefined || settings.gates.noChecks === "pass" || settings.gates.appearSeconds === 0)
    return null;
  return anyCheck(github, repository, place);
}

/** From the option `--without`, whose grammar has checked the words. */
export function withoutOf(given: string | number | undefined): Without[] {
  return given === undefined ? [] : (String(given).split(",") as Without[]);
}
