/**
 * checks-green: the repository's own checks on exactly this commit.
 *
 * U1 Only checks of the given commit count. A success hides no failure and no run in progress of the same name in
 *    another suite. In its own suite, it hides only the job that was run again (`tries.ts`).
 * U7 Earlier tries decide nothing, but a verdict reports the number of tries of a failed check that was run again.
 *    Baton itself never runs a check again.
 * U2 A required check is identified by name and, if GitHub or `baton.yaml` says so, by App. Another App's check of the
 *    same name does not satisfy it. If any App may report it, all reports must be green, so that none can hide a red
 *    one.
 * U3 A missing check is pending until the timeout, then failed. Skipped and neutral do not count next to a success.
 *    They are never green alone, unless a setting allows it. An unknown state or conclusion is never green.
 * U4 Baton's own check never counts, even if a branch rule requires it: it would wait for itself.
 * U6 Workflows that wait for "Approve and run" have no checks yet. Baton waits for them, and never pays for a repair.
 * U5 Without required checks, a suite that has begun and is incomplete is pending: its later jobs have not appeared
 *    yet.
 */
import { z } from "zod";
import type { Settings } from "../../config/schema.ts";
import type { Evidence, Verdict } from "../../core/vocabulary.ts";
import { absence, beyondRepair } from "../absent.ts";
import type { CheckFact, CheckSuiteFact, GateFacts, RequiredCheckFact } from "../facts.ts";
import type { Gate } from "../gate.ts";
import { countedTries, type Try } from "../tries.ts";

export type ChecksFacts = Required<Pick<GateFacts, "sha" | "since" | "checks" | "required" | "suites" | "ownAppId">>;

const optionsSchema = z.strictObject({
  /** Branch whose rules list the required checks. The shell reads it when it gathers facts. */
  baseBranch: z.string().min(1).optional(),
});

export const checksGreenGate: Gate<z.output<typeof optionsSchema>, "checks" | "required" | "suites" | "ownAppId"> = {
  name: "checks-green",
  summary: "All required checks, or where none are required all checks, are green on exactly this commit.",
  options: optionsSchema,
  needs: ["checks", "required", "suites", "ownAppId"],
  evaluate: (facts, _, { settings, now }) => checksGreen(facts, settings.gates, now),
};

export function checksGreen(facts: ChecksFacts, settings: Settings["gates"], now: number): Verdict {
  const short = facts.sha.slice(0, 7);
  const present = facts.checks.filter(({ sha }) => sha === facts.sha);
  const checks = countedTries(present.filter(({ appId }) => appId !== facts.ownAppId));
  const late = now >= facts.since + settings.timeoutMinutes * 60_000;
  const { wanted, own } = wantedChecks(facts, settings, present);
  if (wanted.length > 0) {
    const found = checks.filter((check) => wanted.some((required) => satisfies(check, required)));
    const absent = wanted.filter((required) => !checks.some((check) => satisfies(check, required)));
    const children = [
      ...judgeAll(found, settings, late),
      ...absent.map((required) => missing(required, checks, late, settings.timeoutMinutes)),
      // A missing required check may come from such a suite.
      ...(absent.length > 0 ? unapproved(facts).map((suite) => heldBack(suite, late, settings.timeoutMinutes)) : []),
    ];
    return combine(
      children,
      wanted.length === 1 ? "The required check is" : `All ${wanted.length} required checks are`,
      short,
      own,
    );
  }
  const counted = checks.filter(({ name }) => !settings.ignore.includes(name));
  const ignored = checks
    .filter(({ name }) => settings.ignore.includes(name))
    .map((check) => leaf(check, "skipped", "does not count (`gates.ignore`)"));
  const held = unapproved(facts).map((suite) => heldBack(suite, late, settings.timeoutMinutes));
  if (counted.length === 0 && held.length > 0) return combine(held, "", short, [...own, ...ignored]);
  if (counted.length === 0) {
    if (now < facts.since + settings.appearSeconds * 1_000)
      return verdict("pending", `No check of ${short} has appeared yet.`, [...own, ...ignored]);
    return settings.noChecks === "pass"
      ? verdict("passed", `No check appeared for ${short}, which \`gates.noChecks: pass\` accepts.`, [
          ...own,
          ...ignored,
        ])
      : verdict(
          "failed",
          `No check appeared for ${short} within ${settings.appearSeconds} s, so nothing shows that it works. Add CI, or set \`gates.noChecks: pass\`.`,
          [...own, ...ignored],
          [absence("all checks")],
        );
  }
  return combine(
    [
      ...judgeAll(counted, settings, late),
      ...unfinished(facts).map((suite) => moreToCome(suite, late, settings.timeoutMinutes)),
      ...held,
    ],
    counted.length === 1 ? "The only check is" : `All ${counted.length} checks are`,
    short,
    [...own, ...ignored],
  );
}

/** The checks that must be green, without duplicates, and Baton's own check if somebody requires it (U4). */
function wantedChecks(
  { required, ownAppId }: ChecksFacts,
  settings: Settings["gates"],
  present: CheckFact[],
): { wanted: RequiredCheckFact[]; own: Verdict[] } {
  const all = [...required, ...settings.required.map(({ name, app }) => ({ name, appId: app }))];
  const wanted = new Map<string, RequiredCheckFact>();
  const own = new Map<string, Verdict>();
  for (const check of all) {
    const reporters = present.filter(({ name }) => name === check.name);
    const isOwn =
      check.appId === ownAppId ||
      (check.appId === null && reporters.length > 0 && reporters.every(({ appId }) => appId === ownAppId));
    if (isOwn)
      own.set(check.name, {
        name: check.name,
        status: "skipped",
        reason: "is Baton's own check and cannot wait for itself",
        evidence: [],
        children: [],
      });
    else wanted.set(`${check.appId ?? ""}/${check.name}`, check);
  }
  return { wanted: [...wanted.values()], own: [...own.values()] };
}

function satisfies(check: CheckFact, { name, appId }: RequiredCheckFact): boolean {
  return check.name === name && (appId === null || check.appId === appId);
}

function judgeAll(checks: Try[], settings: Settings["gates"], late: boolean): Verdict[] {
  const succeeded = checks.some(({ status, conclusion }) => status === "completed" && conclusion === "success");
  return checks.map((check) => judge(check, settings, late, succeeded));
}

/**
 * Names of checks that judge people, or the words of the pull request: no code change turns them green. Sources:
 * https://github.com/apps/dco, https://github.com/cla-assistant/cla-assistant,
 * https://github.com/amannn/action-semantic-pull-request,
 * https://github.com/wip/app, https://github.com/palantir/policy-bot, https://github.com/mergeability/mergeable.
 */
const peopleWords =
  /(?<![a-z0-9])(?:dco\d?|developer certificate of origin|signed ?off ?by|sign ?offs?|(?:easy)?cla|contributor licen[cs]e agreement|conventional (?:commits?|pr|pull request|title)|commit ?lint|commit messages?|semantic (?:commits?|prs?|pull ?requests?|title|release title)|pull ?approve|policy bot|reviews? required|required reviews?|(?:prs?|pull requests?) (?:names?|titles?|body|descriptions?|template|labels?|checklist)|authorization required|^tide$|do not merge|merge ?freeze|merge ?able|merge block(?:er)?|linked issues?|issue link(?:ed)?)(?![a-z0-9])/;
/** Words that may also name a check of the code, for example after a component of that name. */
const perhapsPeople =
  /(?<![a-z0-9])(?:lint (?:the )?(?:prs?|pull requests?)|(?:prs?|pull requests?) lint|reviewers?|code ?owners?|branch nam(?:es?|ing)|(?:check|valid) branch name|git ?lint|(?:fixup|autosquash)(?: commits?)?|(?:signed|verified) commits?|commit signatures?|jira (?:lint|check|issue|ticket|key)|task lists?(?: completed)?|titles?|labels?|milestones?|wip|work in progress|draft|approv(?:al|als|ed|e|ers?)|freeze)(?![a-z0-9])/;
const codeWords =
  /(?<![a-z0-9])(?:tests?|unit|e2e|integration|specs?|build|compile|types?|typecheck|coverage|service|component|api|docs|package|deploy|run|model|train|parser|generator|ui|js|engine|cache|eslint|ruff|clippy|pytest|jest|vitest|rspec|playwright|cypress|cargo|pip)(?![a-z0-9])|^lint (?!(?:the )?(?:prs?|pull))/;

/**
 * Also `caller / job` of a reusable workflow:
 * https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
 */
function isAboutPeople(name: string): boolean {
  // Words of the caller and of its job are not one phrase.
  const parts = name.split(" / ");
  const wordsOf = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ");
  const words = parts.map((part) => wordsOf(part.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2"))).join(" / ");
  // One name may be written without spaces: `EasyCLA`, `PullApprove`, `WIP`.
  const joined = parts.map(wordsOf).join(" / ");
  return [words, joined].some((text) => peopleWords.test(text) || (perhapsPeople.test(text) && !codeWords.test(text)));
}

function judge(check: Try, settings: Settings["gates"], late: boolean, succeeded: boolean): Verdict {
  if (check.status !== "completed") {
    if (late) return unended(check, settings.timeoutMinutes);
    return leaf(check, "pending", check.status === "in_progress" ? "is running" : "is queued");
  }
  switch (check.conclusion) {
    case "success":
      return leaf(check, "passed", `succeeded${onItsTry(check)}`);
    case "neutral":
      return didNotRun(check, "neutral", `ended neutral${onItsTry(check)}`, settings.neutral, succeeded);
    case "skipped":
      return didNotRun(check, "skipped", `was skipped${onItsTry(check)}`, settings.skipped, succeeded);
    case "failure":
      return isAboutPeople(check.name)
        ? peopleOnly(leaf(check, "failed", "failed, and only people can change that"))
        : leaf(check, "failed", `failed${onItsTry(check)}${notRunAgain(check)}`);
    case "cancelled":
      return peopleOnly(leaf(check, "failed", "was cancelled; run it again"));
    case "timed_out":
      return leaf(check, "failed", "timed out");
    case "action_required":
      return peopleOnly(leaf(check, "failed", "asks a person for an action"));
    case "stale":
      // https://docs.github.com/en/rest/checks/runs: only GitHub sets it, for a check that did not end in 14 days.
      return peopleOnly(leaf(check, "failed", "went stale; run it again"));
    case null:
      return leaf(check, "failed", "ended without a conclusion");
    default:
      // GitHub adds conclusions (as with `startup_failure`). An unknown one is not green (U3).
      return leaf(
        check,
        "failed",
        `ended as ${JSON.stringify(check.conclusion satisfies never)}, which Baton does not know`,
      );
  }
}

/** A running check may hang in the code. A check that nothing has begun cannot. */
function unended(check: Try, minutes: number): Verdict {
  const late = `within ${minutes} min`;
  if (check.status === "queued") return peopleOnly(leaf(check, "failed", `did not begin ${late}: no runner took it`));
  const verdict = leaf(check, "failed", `did not end ${late}`);
  return isAboutPeople(check.name) ? peopleOnly(verdict) : verdict;
}

/** A check that says nothing about the code: no repair can change that. */
function didNotRun(
  check: Try,
  key: "neutral" | "skipped",
  what: string,
  setting: Settings["gates"]["skipped"],
  succeeded: boolean,
): Verdict {
  if (setting === "pass") return leaf(check, "passed", `${what}, which \`gates.${key}: pass\` accepts`);
  if (setting === "auto" && succeeded) return leaf(check, "skipped", `${what} and does not count next to a success`);
  const why = setting === "fail" ? `\`gates.${key}: fail\`` : "no check succeeded";
  return peopleOnly(leaf(check, "failed", `${what} (${why}; \`gates.${key}: pass\` accepts it)`));
}

function peopleOnly(verdict: Verdict): Verdict {
  return { ...verdict, evidence: [...verdict.evidence, beyondRepair(verdict.name)] };
}

function leaf(check: Try, status: Verdict["status"], reason: string): Verdict {
  const evidence: Evidence[] = [
    { label: "check", value: `${check.id}`, ...(check.url === null ? {} : { url: check.url }) },
  ];
  if (check.appId !== null) evidence.push({ label: "App", value: `${check.appId}` });
  for (const { id, url, conclusion } of check.earlier)
    if (!harmless.has(conclusion))
      evidence.push({
        label: "earlier try",
        value: `${id}: ${conclusion ?? "no conclusion"}`,
        ...(url === null ? {} : { url }),
      });
  return { name: check.name, status, reason, evidence, children: [] };
}

function missing({ name, appId }: RequiredCheckFact, checks: CheckFact[], late: boolean, minutes: number): Verdict {
  const others = checks.filter((check) => check.name === name);
  const impostors =
    appId === null || others.length === 0 ? "" : `; a check of this name by another App than ${appId} does not count`;
  const evidence = others.map(
    (check): Evidence => ({
      label: "does not count",
      value: `${check.id}`,
      ...(check.url === null ? {} : { url: check.url }),
    }),
  );
  return late
    ? {
        name,
        status: "failed",
        reason: `never appeared within ${minutes} min${impostors}`,
        evidence: [...evidence, absence(name)],
        children: [],
      }
    : { name, status: "pending", reason: `has not appeared yet${impostors}`, evidence, children: [] };
}

/** U5. Baton's own suite is complete only when Baton says so (U4). */
function unfinished({ suites, sha, ownAppId }: ChecksFacts): CheckSuiteFact[] {
  return suites.filter(
    (suite) => suite.sha === sha && suite.appId !== ownAppId && suite.checkRuns > 0 && suite.status !== "completed",
  );
}

/**
 * Source: https://docs.github.com/en/actions/how-tos/manage-workflow-runs/approve-runs-from-forks and the conclusions
 * of check suites.
 */
function unapproved({ suites, sha, ownAppId }: ChecksFacts): CheckSuiteFact[] {
  return suites.filter(
    (suite) =>
      suite.sha === sha && suite.appId !== ownAppId && suite.conclusion === "action_required" && suite.checkRuns === 0,
  );
}

/** No code change starts it: it waits for people, then fails for people. */
function heldBack({ appName }: CheckSuiteFact, late: boolean, minutes: number): Verdict {
  const verdict: Verdict = {
    name: `workflows of ${appName}`,
    status: late ? "failed" : "pending",
    reason: late
      ? `waited ${minutes} min for a person to approve and run them`
      : "wait for a person to press *Approve and run*",
    evidence: [],
    children: [],
  };
  return late ? peopleOnly(verdict) : verdict;
}

/** A check that has not appeared cannot be repaired. */
function moreToCome({ appName }: CheckSuiteFact, late: boolean, minutes: number): Verdict {
  const verdict: Verdict = {
    name: `suite of ${appName}`,
    status: late ? "failed" : "pending",
    reason: late ? `did not complete within ${minutes} min` : "is not complete, so more checks may come",
    evidence: [],
    children: [],
  };
  return late ? peopleOnly(verdict) : verdict;
}

/** A red check decides only after the others have ended too: the repair should see everything that is broken. */
function combine(children: Verdict[], which: string, short: string, beside: Verdict[]): Verdict {
  const of = (status: Verdict["status"]): Verdict[] => children.filter((child) => child.status === status);
  const names = (list: Verdict[]): string =>
    list.map(({ name, reason }) => `\`${name.replaceAll("`", "'")}\` ${reason}`).join(", ");
  const all = [...children, ...beside];
  if (of("pending").length > 0) return verdict("pending", `On ${short}: ${names(of("pending"))}.`, all);
  if (of("failed").length > 0) return verdict("failed", `On ${short}: ${names(of("failed"))}.`, all);
  // The verdict's own sentence reports a green result that needed a second try (U7).
  const again = children.filter(
    ({ status, evidence }) => status !== "failed" && evidence.some(({ label }) => label === "earlier try"),
  );
  const told = again.length === 0 ? "" : ` ${names(again)}.`;
  return verdict("passed", `${which} green on ${short}.${told}`, all);
}

function verdict(status: Verdict["status"], reason: string, children: Verdict[], evidence: Evidence[] = []): Verdict {
  return { name: "checks", status, reason, evidence, children };
}

/** The next step if a rerun cannot be distinguished from another job of the same name. */
function notRunAgain(check: Try): string {
  if (check.isUnordered) return ", and Baton may not read whether another one is its re-run (`actions: read`)";
  return check.notRunAgain ? ", and a later attempt ran fewer jobs of this name: re-run all jobs" : "";
}

const harmless: ReadonlySet<CheckFact["conclusion"]> = new Set(["success", "neutral", "skipped"]);

/** "on its second try". Empty if no earlier try was red. */
function onItsTry({ earlier, number: count }: Try): string {
  if (earlier.every(({ conclusion }) => harmless.has(conclusion))) return "";
  return ` on its ${["second", "third"][count - 2] ?? `try number ${count}`}${count < 4 ? " try" : ""}`;
}
