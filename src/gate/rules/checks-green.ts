/**
 * checks-green: the repository's own checks on exactly this commit.
 *
 * U1 Only checks of the given commit count; of one name and App only the newest.
 * U2 A required check is one by name and, where GitHub says so, by App: another App's check of the same name satisfies nothing.
 * U3 Missing is pending until the time is over, then failed. Skipped and neutral are green only where a setting says so.
 * U4 Baton's own check never counts.
 */
import type { Settings } from "../../config/schema.ts";
import type { Verdict } from "../../core/vocabulary.ts";

export interface CheckFact {
  name: string;
  appId: number | null;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: "success" | "failure" | "neutral" | "cancelled" | "skipped" | "timed_out" | "action_required" | "stale" | null;
  id: number;
  url: string | null;
  startedAt: string | null;
  summary: string;
}

export interface ChecksFacts {
  sha: string;
  checks: CheckFact[];
  required: { name: string; appId: number | null }[];
  ownAppId: number;
  /** When the gate was asked for: milliseconds since the epoch. */
  since: number;
}

export function checksGreen(facts: ChecksFacts, settings: Settings["gates"], now: number): Verdict {
  const short = facts.sha.slice(0, 7);
  const checks = newestOfEach(facts.checks.filter(({ sha, appId }) => sha === facts.sha && appId !== facts.ownAppId));
  const late = now >= facts.since + settings.timeoutMinutes * 60_000;
  const wanted = [...facts.required, ...settings.required.map((name) => ({ name, appId: null }))];
  if (wanted.length > 0) {
    const children = wanted.map(({ name, appId }) => {
      const found = checks.filter((check) => check.name === name && (appId === null || check.appId === appId));
      const newest = found.sort((a, b) => b.id - a.id)[0];
      if (newest !== undefined) return judge(newest, settings, late);
      return missing(name, late, settings.timeoutMinutes);
    });
    return combine(children, `${wanted.length} required`, short);
  }
  const counted = checks.filter(({ name }) => !settings.ignore.includes(name));
  if (counted.length === 0) {
    if (now < facts.since + settings.appearSeconds * 1_000) return verdict("pending", `Waits for the first check of ${short} to appear.`, []);
    return settings.noChecks === "pass"
      ? verdict("passed", `No check appeared for ${short}, which \`gates.noChecks: pass\` accepts.`, [])
      : verdict("failed", `No check appeared for ${short} within ${settings.appearSeconds} s, so nothing shows that it works. Add CI, or set \`gates.noChecks: pass\`.`, []);
  }
  return combine(
    counted.map((check) => judge(check, settings, late)),
    `all ${counted.length}`,
    short,
  );
}

function judge(check: CheckFact, settings: Settings["gates"], late: boolean): Verdict {
  const evidence = [{ label: "check", value: `${check.id}`, ...(check.url === null ? {} : { url: check.url }) }];
  const leaf = (status: Verdict["status"], reason: string): Verdict => ({ name: check.name, status, reason, evidence, children: [] });
  if (check.status !== "completed") {
    return late ? leaf("failed", `did not end within ${settings.timeoutMinutes} min`) : leaf("pending", check.status === "queued" ? "is queued" : "is running");
  }
  switch (check.conclusion) {
    case "success":
      return leaf("passed", "succeeded");
    case "neutral":
      return settings.neutral === "pass" ? leaf("passed", "ended neutral, which `gates.neutral: pass` accepts") : leaf("failed", "ended neutral");
    case "skipped":
      return settings.skipped === "pass" ? leaf("passed", "was skipped, which `gates.skipped: pass` accepts") : leaf("failed", "was skipped");
    case "failure":
      return leaf("failed", "failed");
    case "cancelled":
      return leaf("failed", "was cancelled");
    case "timed_out":
      return leaf("failed", "timed out");
    case "action_required":
      return leaf("failed", "asks for an action");
    case "stale":
      return leaf("failed", "went stale");
    case null:
      return leaf("failed", "ended without a conclusion");
  }
}

function missing(name: string, late: boolean, minutes: number): Verdict {
  return late
    ? { name, status: "failed", reason: `never appeared within ${minutes} min`, evidence: [], children: [] }
    : { name, status: "pending", reason: "has not appeared yet", evidence: [], children: [] };
}

/** A red check decides at once only when the others have ended too: the repair should see all that is broken. */
function combine(children: Verdict[], which: string, short: string): Verdict {
  const of = (status: Verdict["status"]): Verdict[] => children.filter((child) => child.status === status);
  const names = (list: Verdict[]): string => list.map(({ name, reason }) => `\`${name}\` ${reason}`).join(", ");
  if (of("pending").length > 0) return verdict("pending", `On ${short}: ${names(of("pending"))}.`, children);
  if (of("failed").length > 0) return verdict("failed", `On ${short}: ${names(of("failed"))}.`, children);
  return verdict("passed", `${which} check${children.length === 1 ? "" : "s"} green on ${short}.`, children);
}

function verdict(status: Verdict["status"], reason: string, children: Verdict[]): Verdict {
  return { name: "checks", status, reason, evidence: [], children };
}

function newestOfEach(checks: CheckFact[]): CheckFact[] {
  const newest = new Map<string, CheckFact>();
  for (const check of checks) {
    const key = `${check.appId ?? "status"}/${check.name}`;
    const known = newest.get(key);
    if (known === undefined || check.id > known.id) newest.set(key, check);
  }
  return [...newest.values()];
}
