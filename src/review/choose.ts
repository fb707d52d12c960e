/**
 * The choice of a review: new comments within the bounds, the threads whose cause is gone, and nothing twice.
 *
 * RX1 A finding that Baton posted before is never posted again.
 * RX2 A thread is resolved only if the reviewer says that its cause is gone, and its line is gone as well.
 * RX3 The worst findings are posted first. Findings beyond the bound are counted, never hidden.
 */
import { type FindingSeverity, findingSeverities, type PlacedFinding, type Placement } from "../core/review-finding.ts";
import type { EarlierFinding, PostedFinding, ReviewFacts } from "./facts.ts";

export interface Choice {
  /** New comments, worst first. */
  post: PlacedFinding[];
  /** Earlier findings that still stand. */
  stands: PostedFinding[];
  /** Earlier findings whose cause is gone. */
  resolved: EarlierFinding[];
  outside: Placement["outside"];
  /** Findings that are not posted, by the reason. */
  notPosted: { unverified: number; disagreed: number; tooMany: number };
}

export function chooseReview(
  { placed, outside, left, gone }: Placement,
  facts: Pick<ReviewFacts, "earlier" | "comments" | "nits">,
  /** Fingerprints of comments whose cause the reviewer calls gone. */
  fixed: ReadonlySet<string>,
): Choice {
  const known = new Set(facts.earlier.map(({ fingerprint }) => fingerprint));
  const absent = new Set(gone);
  const open = facts.earlier.filter(({ state }) => state === "open");
  const resolved = open.filter(({ fingerprint }) => fixed.has(fingerprint) && absent.has(fingerprint));
  const stands = open.filter((one) => !resolved.includes(one));
  const isWanted = ({ severity }: { severity: FindingSeverity }): boolean => facts.nits || severity !== "nit";
  const fresh = placed.filter((one) => isWanted(one) && one.fresh && !known.has(one.fingerprint));
  const room = Math.max(0, facts.comments - stands.length);
  const sorted = fresh.toSorted((a, b) => rank(a.severity) - rank(b.severity));
  return {
    post: sorted.slice(0, room),
    stands: stands.map(postedOf),
    resolved,
    outside: outside.filter(isWanted),
    notPosted: {
      unverified: left.filter(isWanted).length,
      disagreed: 0,
      tooMany: Math.max(0, sorted.length - room),
    },
  };
}

/** `agreed`: fingerprints that a second look confirms. null: nobody looked a second time. */
export function afterSecondLook(choice: Choice, agreed: ReadonlySet<string> | null): Choice {
  if (agreed === null) return choice;
  const post = choice.post.filter(({ fingerprint }) => agreed.has(fingerprint));
  return { ...choice, post, notPosted: { ...choice.notPosted, disagreed: choice.post.length - post.length } };
}

function rank(severity: FindingSeverity): number {
  return findingSeverities.indexOf(severity);
}

export function postedOf({ fingerprint, path, side, line, severity, text }: PostedFinding): PostedFinding {
  return { fingerprint, path, side, line, severity, text };
}

/** The findings that speak against merging. Those with a thread, which people can resolve, count for the check. */
export function blockingOf({ post, stands, outside }: Choice): { threads: number; all: number } {
  const count = (some: readonly { severity: FindingSeverity }[]): number =>
    some.filter(({ severity }) => severity === "blocking").length;
  const threads = count(post) + count(stands);
  return { threads, all: threads + count(outside) };
}
