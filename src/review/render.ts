/**
 * The texts of a review on GitHub: the comment of a finding, and the summary.
 *
 * RT1 Words of others have no effect, open nothing and fake no marker: they pass `neutralise`. Only Baton writes a block
 *     that GitHub offers to apply, and its fence is longer than any in the suggestion.
 * RT2 Every text has a bound.
 */
import type { FindingSeverity, PlacedFinding } from "../core/review-finding.ts";
import { cut } from "../text/cut.ts";
import { plural } from "../text/format.ts";
import { printMarker } from "../text/marker.ts";
import { codeSpan, neutraliseLine, neutraliseLineWithin, neutraliseWithin } from "../text/neutralise.ts";
import type { Choice } from "./choose.ts";

/** The kind of the marker that names a finding. */
export const findingMarker = "finding";

const textMax = 4_000;
const wordsMax = 6_000;
const listMax = 20;

const heads: Record<FindingSeverity, string> = {
  blocking: "⛔ **Blocking**",
  minor: "🟡 **Minor**",
  nit: "💬 **Nit**",
};

export function findingComment({ severity, text, suggestion, fingerprint }: PlacedFinding): string {
  return [
    `${heads[severity]}`,
    neutraliseWithin(text, textMax),
    ...(suggestion === null ? [] : [suggestionBlock(suggestion)]),
    printMarker(fingerprint, findingMarker),
  ].join("\n\n");
}

/** Source: https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request */
function suggestionBlock(suggestion: string): string {
  const longest = Math.max(2, ...[...suggestion.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  // An empty suggestion deletes the lines.
  return `${fence}suggestion\n${suggestion === "" ? "" : `${suggestion}\n`}${fence}`;
}

export interface Summary {
  sha: string;
  /** The head of the review before. null: the whole change was reviewed. */
  since: string | null;
  /** The reviewer's own words. */
  words: string;
  choice: Choice;
  /** Already without effect. */
  parts: readonly string[];
  by: { harness: string; model: string } | null;
  /** `missing`: it was wanted, and gave no readable answer. */
  secondLook: "agreed" | "off" | "missing";
}

export function summaryText(summary: Summary): string {
  const { sha, since, words, choice, parts, by } = summary;
  const scope = since === null || since === sha ? "" : ` (the change since \`${since.slice(0, 7)}\`)`;
  return [
    `**Review of \`${sha.slice(0, 7)}\`${scope}: ${counts(choice)}.**`,
    neutraliseWithin(words, wordsMax),
    ...parts,
    outsideText(choice),
    `<sub>${[...notes(summary), by === null ? "" : `By ${neutraliseLine(by.harness)} (${neutraliseLine(by.model)}).`].filter((part) => part !== "").join(" ")}</sub>`,
  ]
    .filter((part) => part.trim() !== "" && part !== "<sub></sub>")
    .join("\n\n");
}

/** The same review where GitHub accepts no comment on the lines: the findings are part of the text. */
export function withFindings(text: string, findings: readonly PlacedFinding[]): string {
  const items = findings.map(
    ({ severity, path, line, text: words }) =>
      `- ${heads[severity]} ${codeSpan(`${path}:${line}`)}: ${neutraliseLineWithin(words, 1_000)}`,
  );
  return cut(
    [
      text,
      "GitHub accepted no comments on these lines, because the pull request changed meanwhile:",
      items.join("\n"),
    ].join("\n\n"),
    60_000,
  );
}

function counts({ post, stands, resolved, outside }: Choice): string {
  const all = [...post, ...outside];
  const blocking = all.filter(({ severity }) => severity === "blocking").length;
  const found =
    all.length === 0
      ? "no new findings"
      : `${plural(all.length, stands.length + resolved.length === 0 ? "finding" : "new finding")}${blocking === 0 ? "" : `, ${blocking} blocking`}`;
  return [
    found,
    ...(stands.length === 0 ? [] : [`${stands.length} of before ${stands.length === 1 ? "stands" : "stand"}`]),
    ...(resolved.length === 0 ? [] : [`${resolved.length} resolved`]),
  ].join("; ");
}

function outsideText({ outside }: Choice): string {
  if (outside.length === 0) return "";
  const items = outside
    .slice(0, listMax)
    .map(
      ({ severity, path, line, text }) =>
        `- ${heads[severity]} ${codeSpan(line === null ? path : `${path}:${line}`)}: ${neutraliseLineWithin(text, 1_000)}`,
    );
  const more = outside.length - items.length;
  return [
    "Outside of the changed lines:",
    "",
    ...items,
    ...(more > 0 ? [`- … and ${plural(more, "more finding")}`] : []),
  ].join("\n");
}

function notes({ choice: { notPosted }, secondLook }: Summary): string[] {
  const { unverified, disagreed, tooMany } = notPosted;
  return [
    ...(tooMany > 0 ? [`${plural(tooMany, "finding")} beyond \`review.comments\` ${isAre(tooMany)} not shown.`] : []),
    ...(unverified > 0
      ? [`${plural(unverified, "finding")} ${isAre(unverified)} left out: the quoted line is not in the change.`]
      : []),
    ...(disagreed > 0
      ? [`${plural(disagreed, "finding")} ${isAre(disagreed)} left out: a second look disagreed.`]
      : []),
    ...(secondLook === "missing" ? ["The second look gave no answer, so nobody checked these findings again."] : []),
  ];
}

function isAre(amount: number): string {
  return amount === 1 ? "is" : "are";
}

/** For the check run, and for `/baton why`. */
export function standingList(choice: Choice): string {
  return [...choice.post, ...choice.stands]
    .filter(({ severity }) => severity === "blocking")
    .slice(0, listMax)
    .map(
      ({ path, line, text }) =>
        `- ${codeSpan(line === null ? path : `${path}:${line}`)}: ${neutraliseLineWithin(text, 300)}`,
    )
    .join("\n");
}
