import type { MergeFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

export const mergeConfigured: Rule<MergeFacts> = {
  name: "merge-configured",
  summary: "Baton merges only where `merge: auto`.",
  judge: ({ settings }) =>
    settings.merge.mode === "auto"
      ? allow("`merge: auto` lets Baton merge.")
      : deny("Merging is left to people (`merge: manual`)."),
};

export const mergeOwnHead: Rule<MergeFacts> = {
  name: "merge-own-head",
  summary: "Baton does not merge the head of a fork.",
  judge: ({ headIsFork }) =>
    headIsFork
      ? deny("The head is in a fork, so Baton does not merge it. A maintainer can.")
      : allow("The head is in this repository."),
};

/** The merge sends the same SHA to GitHub. This rule gives the reason earlier. */
export const mergeSameHead: Rule<MergeFacts> = {
  name: "merge-same-head",
  summary: "Baton merges the commit that it judged, not a later one.",
  judge: ({ headSha, subjectSha }) =>
    headSha === subjectSha
      ? allow(`The head is ${short(subjectSha)}, which was judged.`)
      : deny(`The head moved from ${short(subjectSha)} to ${short(headSha)}, which nobody judged.`),
};

export const mergeSameBase: Rule<MergeFacts> = {
  name: "merge-same-base",
  summary: "Baton merges into the branch whose rules it judged.",
  judge: ({ base, subjectBase }) =>
    base === subjectBase
      ? allow(`The base is \`${base}\`, which was judged.`)
      : deny(`The base is now \`${base}\`. Checks and approvals are for \`${subjectBase}\`.`),
};

export const mergeGreen: Rule<MergeFacts> = {
  name: "merge-green",
  summary: "The gates passed for that commit.",
  judge: ({ gatesPassed, subjectSha }) =>
    gatesPassed
      ? allow(`The gates passed for ${short(subjectSha)}.`)
      : deny(`The gates did not pass for ${short(subjectSha)}.`),
};

export const mergeApproved: Rule<MergeFacts> = {
  name: "merge-approved",
  summary: "People approved that commit, unless `breakpoints.review: auto`.",
  judge({ approvedSha, subjectSha, settings }) {
    if (approvedSha === subjectSha) return allow(`${short(subjectSha)} was approved.`);
    if (settings.breakpoints.review === "auto") return allow("`breakpoints.review: auto` asks for no review.");
    if (approvedSha === null)
      return deny(`Nobody approved ${short(subjectSha)} (\`breakpoints.review: ask\`). A person with a review can.`);
    return deny(
      `The approval is for ${short(approvedSha)}, not for ${short(subjectSha)}. A new review can approve it.`,
    );
  },
};

function short(sha: string): string {
  return sha.slice(0, 7);
}
