/**
 * The starts of a workflow, read from its `on`: by a pull request of Baton, and by Baton by hand.
 *
 * TR1 A filter that Baton cannot match leaves the workflow out.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#on and `#filter-pattern-cheat-sheet`.
 */
import { type Fields, fieldsOf, shown, textsOf } from "./workflow-yaml.ts";

/** The pull request in question: its base, and the branch that Baton pushes. */
export interface Asked {
  base: string;
  head: string;
}

export interface Triggers {
  /** Events by name, each with its filters. */
  events: ReadonlyMap<string, Fields>;
  /** A pull request, its merge group, or a push to its branch starts the workflow. */
  startsForPull: boolean;
  /** False: some pull requests do not start it, so its checks cannot be required. */
  startsForEvery: boolean;
  /** Why no pull request starts it. Empty: one does. */
  reasons: string[];
}

export function readTriggers(on: unknown, asked: Asked): Triggers {
  const events = eventsOf(on);
  const verdicts = (["pull_request", "push", "merge_group"] as const).flatMap((name) => {
    const filters = events.get(name);
    return filters === undefined ? [] : [judges[name](filters, asked)];
  });
  const startsForPull = verdicts.some(({ reason }) => reason === null);
  const reasons = verdicts.flatMap(({ reason }) => reason ?? []);
  return {
    events,
    startsForPull,
    startsForEvery: verdicts.some(({ reason, every }) => reason === null && every),
    reasons: startsForPull ? [] : reasons.length > 0 ? reasons : [noneOf(events)],
  };
}

/** Inputs without which GitHub refuses to start the workflow by hand. */
export function requiredInputs(events: Triggers["events"]): string[] {
  const inputs = fieldsOf(events.get("workflow_dispatch")?.["inputs"]) ?? {};
  return Object.entries(inputs).flatMap(([name, input]) => {
    const fields = fieldsOf(input);
    return fields?.["required"] === true && (fields["default"] ?? null) === null ? [name] : [];
  });
}

function eventsOf(on: unknown): Map<string, Fields> {
  const map = fieldsOf(on);
  if (map === null) return new Map(textsOf(on).map((name) => [name, {}]));
  return new Map(Object.entries(map).map(([name, filters]) => [name, fieldsOf(filters) ?? {}]));
}

function noneOf(events: Triggers["events"]): string {
  const names = [...events.keys()].slice(0, 5).map(shown);
  return names.length === 0 ? "No event starts it." : `No pull request starts it. It starts on ${names.join(", ")}.`;
}

interface Judged {
  reason: string | null;
  every: boolean;
}
const refused = (reason: string): Judged => ({ reason, every: false });

const judges: Record<"pull_request" | "push" | "merge_group", (filters: Fields, asked: Asked) => Judged> = {
  pull_request(filters, { base }) {
    // Without `types`, GitHub starts it when somebody opens or reopens a pull request, or pushes a commit.
    if (filters["types"] !== undefined && !textsOf(filters["types"]).includes("synchronize"))
      return refused(
        `A new commit in a pull request does not start it: its \`types\` are ${listed(textsOf(filters["types"]))}.`,
      );
    if (!passes(filters, ["branches", "branches-ignore"], base))
      return refused(`A pull request into ${shown(base)} does not start it: its branches leave that base out.`);
    if (leavesAllOut(filters)) return refused("Its `paths-ignore` leaves every file out.");
    return { reason: null, every: !hasPaths(filters) };
  },
  push(filters, { head }) {
    const forBranches = filters["branches"] !== undefined || filters["branches-ignore"] !== undefined;
    const forTags = filters["tags"] !== undefined || filters["tags-ignore"] !== undefined;
    if (forTags && !forBranches) return refused("A push starts it only for tags.");
    if (!passes(filters, ["branches", "branches-ignore"], head))
      return refused(`A push to ${shown(head)} does not start it: its branches leave that branch out.`);
    const paths = textsOf(filters["paths"] ?? []);
    if (filters["paths"] !== undefined && !paths.some((path) => ["**", "**/*"].includes(path)))
      return refused(`A push starts it only for changes of ${listed(paths)}.`);
    if (leavesAllOut(filters)) return refused("Its `paths-ignore` leaves every file out.");
    return { reason: null, every: !hasPaths(filters) };
  },
  merge_group(filters, { base }) {
    if (!passes(filters, ["branches", "branches-ignore"], base))
      return refused(`A merge group into ${shown(base)} does not start it: its branches leave that base out.`);
    // It reports on the merge group's commit, never on the pull request's commit.
    return { reason: null, every: false };
  },
};

function leavesAllOut(filters: Fields): boolean {
  return textsOf(filters["paths-ignore"] ?? []).some((path) => ["**", "**/*", "**/**"].includes(path));
}

function listed(texts: string[]): string {
  return texts.length === 0 ? "none" : texts.slice(0, 5).map(shown).join(", ");
}

function hasPaths(filters: Fields): boolean {
  return filters["paths"] !== undefined || filters["paths-ignore"] !== undefined;
}

function passes(filters: Fields, [only, ignore]: [string, string], branch: string): boolean {
  if (filters[only] !== undefined) return matches(textsOf(filters[only] ?? []), branch);
  if (filters[ignore] !== undefined) return !matches(textsOf(filters[ignore] ?? []), branch);
  return true;
}

/** The last pattern that matches decides. A pattern with `!` removes the name again. */
function matches(patterns: readonly string[], name: string): boolean {
  let found = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith("!");
    if (expressionOf(negative ? pattern.slice(1) : pattern)?.test(name) === true) found = !negative;
  }
  return found;
}

const patternMax = 200;

/** GitHub's patterns: `*` stops at a slash, `**` does not, `?` and `+` repeat the character before. null: unreadable (TR1). */
function expressionOf(pattern: string): RegExp | null {
  if (pattern.length > patternMax) return null;
  const source = pattern.replaceAll(/\*{3,}/g, "**").replaceAll(/\*\*\/?|[*?+]|\[[^\]]*\]|\\.|[^]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?" || part === "+" || (part.startsWith("[") && part.length > 2)) return part;
    return part.startsWith("\\") && part.length === 2 ? part : part.replaceAll(/[.^$(){}|[\]\\/]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return null;
  }
}
