/**
 * Checks whether a run can reach its end at all, before its first paid step.
 *
 * PF1 An obstacle that no decision can remove stops the run at its start. Baton asks for all decisions of people at
 *     once.
 * PF2 Unknown is not "no": an unreadable fact stops nothing and asks nothing.
 */
import type { Settings } from "../config/schema.ts";
import { isBranchName, standsInTheWay } from "../core/branch-name.ts";
import type { Actor } from "../core/vocabulary.ts";
import { atLeast } from "./permission.ts";

export type MergeMethod = Settings["merge"]["method"];

/** The parts of a branch rule that Baton reads. `pattern` is null if Baton does not know the operator. */
export interface BranchRuleFact {
  type: string;
  pattern?: { operator: string; pattern: string; negate: boolean };
  methods?: readonly MergeMethod[];
}

export interface PreflightFacts {
  archived: boolean;
  /** The target branch of the work. */
  branch: string;
  /** The branch must be created. */
  isNew: boolean;
  /** Branches below its first folder, and a branch with that folder's name. */
  neighbours: readonly string[];
  headRules: readonly BranchRuleFact[];
  baseRules: readonly BranchRuleFact[];
  /** Merge methods that the repository allows. null: unknown. */
  mergeMethods: readonly MergeMethod[] | null;
  /** Something has reported for the base, or an existing workflow may. null: unknown. */
  hasChecks: boolean | null;
  /** People with a permission. null: unknown. */
  people: readonly Actor[] | null;
  requester: Pick<Actor, "id">;
  /** The authors of a schedule's files. */
  authors?: readonly Pick<Actor, "id">[];
  /** The author of the pull request, if there is one. */
  author: Pick<Actor, "id"> | null;
  /** There is no pull request yet: the run opens one. */
  opensPullRequest: boolean;
  /** Where the run comments: GitHub requires different permissions for comments there. */
  speaksIn: "issue" | "pull-request";
  /** Permissions of Baton's token, by GitHub's names. null: unknown. */
  granted: Readonly<Record<string, string>> | null;
  /** Baton acts as a person: GitHub signs nothing that it creates. */
  isPerson: boolean;
  /** For a job's token: its workflow file, and its additional needs. Absent: the token is an App's or a person's. */
  job?: { workflow: string | null; needs: readonly string[] };
  settings: Pick<Settings, "merge" | "breakpoints" | "approvals" | "gates">;
}

export type Without = "rules" | "checks" | "approver";

export interface Preflight {
  /** Each stops the run: the problem, and the next step. */
  stops: string[];
  /** Unusual decisions, and their reasons. Nobody is asked. */
  notes: string[];
  asks: { without: Without; text: string }[];
}

export function preflight(facts: PreflightFacts): Preflight {
  const stops = [...ofPlace(facts), ...ofToken(facts), ...ofMerging(facts)];
  const notes = ofSignatures(facts);
  if (stops.length > 0) return { stops, notes, asks: [] };
  // GitHub does not show here who may bypass a rule, but a person knows.
  const rules = ofRules(facts).map((text) => ({ without: "rules" as const, text }));
  return { stops, notes, asks: [...rules, ...ofChecks(facts), ...ofApprovers(facts)] };
}

function ofPlace({ archived, branch, isNew, neighbours }: PreflightFacts): string[] {
  if (archived) return ["The repository is archived, so nothing can be pushed. Unarchive it."];
  if (!isBranchName(branch)) return [`\`${branch}\` is not a branch name that git takes. Rename the branch.`];
  const inTheWay = isNew ? neighbours.find((other) => standsInTheWay(branch, other)) : undefined;
  return inTheWay === undefined
    ? []
    : [
        `The branch \`${inTheWay}\` is in the way of \`${branch}\`: git keeps only one of the two. Delete it, or set another \`branchPrefix\`.`,
      ];
}

/** The most write permissions that a pushing run needs. */
export const pushingNeeds: readonly string[] = ["contents", "pull_requests", "issues"];

export function mayWrite(granted: Readonly<Record<string, string>>, name: string): boolean {
  return granted[name] === "write" || granted[name] === "admin";
}

/**
 * Comments on a pull request need one of two permissions:
 * https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
 */
function ofToken({ granted, opensPullRequest, speaksIn, job, settings }: PreflightFacts): string[] {
  if (granted === null) return [];
  const isHeard = speaksIn === "pull-request" && mayWrite(granted, "pull_requests");
  // After a job's push, CI starts only with `actions: write`.
  const needs = new Set([...pushingNeeds, ...(job?.needs ?? [])]);
  if (job !== undefined && settings.gates.dispatch.length > 0) needs.add("actions");
  const lacks = [...needs]
    .filter((name) => name !== "pull_requests" || opensPullRequest)
    .filter((name) => name !== "issues" || !isHeard)
    .filter((name) => !mayWrite(granted, name))
    // A workflow file uses dashes where the API uses underscores.
    .map((name) => `\`${job === undefined ? name : name.replaceAll("_", "-")}: write\``);
  if (lacks.length > 0 && job !== undefined)
    return [
      `This job's token lacks ${lacks.join(" and ")}, so the run could not end. Add it under \`permissions\` of ${job.workflow === null ? "its workflow" : `\`${job.workflow}\``}.`,
    ];
  return lacks.length === 0
    ? []
    : [
        `Baton's token lacks ${lacks.join(" and ")} here, so the run could not publish its result or show itself. Add it to the App (Permissions & events); an owner then accepts it for this installation. A personal token needs an account with write permission.`,
      ];
}

function ofRules({ branch, isNew, headRules, isPerson }: PreflightFacts): string[] {
  return headRules.flatMap((rule): string[] => {
    switch (rule.type) {
      case "required_signatures":
        return isPerson
          ? [
              `A rule wants signed commits on \`${branch}\`, and GitHub signs none that Baton makes with a person's token. Give Baton's step the job's own token or an App's, or set another \`branchPrefix\`.`,
            ]
          : [];
      case "creation":
        return isNew
          ? [`A rule restricts who creates \`${branch}\`. Let Baton's App do so, or set another \`branchPrefix\`.`]
          : [];
      case "update":
        return isNew ? [] : [`A rule restricts who pushes to \`${branch}\`. Let Baton's App do so.`];
      case "pull_request":
      case "merge_queue":
        return [`A rule lets \`${branch}\` change by pull requests only. Exempt it, or set another \`branchPrefix\`.`];
      case "branch_name_pattern":
        return isNew && rule.pattern !== undefined && matches(branch, rule.pattern) === false
          ? [
              `A rule does not allow the branch name \`${branch}\` (${rule.pattern.operator} \`${rule.pattern.pattern}\`). Set a \`branchPrefix\` that it allows.`,
            ]
          : [];
      default:
        return [];
    }
  });
}

/** Source: https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification ("Signature verification for bots"). */
function ofSignatures({ branch, headRules, isPerson }: PreflightFacts): string[] {
  return !isPerson && headRules.some(({ type }) => type === "required_signatures")
    ? [
        `A rule wants signed commits on \`${branch}\`. Baton publishes its commits through GitHub's API, and GitHub signs them as the App's.`,
      ]
    : [];
}

/**
 * null: the operator or the pattern is unknown. Source:
 * https://docs.github.com/en/rest/repos/rules#create-a-repository-ruleset
 */
function matches(name: string, { operator, pattern, negate }: NonNullable<BranchRuleFact["pattern"]>): boolean | null {
  const found = (() => {
    switch (operator) {
      case "starts_with":
        return name.startsWith(pattern);
      case "ends_with":
        return name.endsWith(pattern);
      case "contains":
        return name.includes(pattern);
      case "regex":
        try {
          return new RegExp(pattern, "u").test(name);
        } catch {
          return null;
        }
      default:
        return null;
    }
  })();
  return found === null ? null : found !== negate;
}

function ofMerging({ settings, baseRules, mergeMethods }: PreflightFacts): string[] {
  // A queue merges by its own method.
  if (settings.merge.mode !== "auto" || mergeMethods === null || baseRules.some(({ type }) => type === "merge_queue"))
    return [];
  const limits = baseRules.flatMap(({ methods }) => (methods === undefined ? [] : [methods]));
  const allowed = mergeMethods.filter((method) => limits.every((methods) => methods.includes(method)));
  if (allowed.includes(settings.merge.method)) return [];
  const instead = allowed.map((method) => `\`${method}\``).join(" or ");
  return [
    `\`merge.method: ${settings.merge.method}\` is not allowed in this repository. ${instead === "" ? "It allows none." : `Set it to ${instead}.`}`,
  ];
}

function ofChecks({ settings: { gates }, hasChecks }: PreflightFacts): Preflight["asks"] {
  // If the settings wait for no first check, its absence is intended.
  if (hasChecks !== false || gates.noChecks === "pass" || gates.appearSeconds === 0) return [];
  return [
    {
      without: "checks",
      text: "No CI is to be seen: no other App reports on the base, and no workflow starts on a pull request. Without a check the result is not green (`gates.noChecks`).",
    },
  ];
}

function ofApprovers({ settings, people, requester, authors = [], author }: PreflightFacts): Preflight["asks"] {
  const { approvals, breakpoints } = settings;
  if (breakpoints.review === "auto" || people === null) return [];
  const listed = approvals.people.map((login) => login.toLowerCase());
  const may = people.filter(
    ({ id, login, kind, permission }) =>
      kind === "user" &&
      atLeast(permission, approvals.permission) &&
      (listed.length === 0 || listed.includes(login.toLowerCase())) &&
      (approvals.self === "allow" || ![requester, author, ...authors].some((one) => one?.id === id)),
  );
  if (may.length >= approvals.count) return [];
  const who = may.length === 0 ? "Nobody may approve" : `Only ${may.length} of ${approvals.count} may approve`;
  return [
    {
      without: "approver",
      text: `${who} the result: it needs \`${approvals.permission}\` permission and no part in the work (\`approvals\`).`,
    },
  ];
}
