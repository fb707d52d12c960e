/**
 * `gates.review`: the check of its own that blocking findings of a review fail.
 *
 * RG1 Only a person passes the check against its findings, with a reason, and for one commit. The check names both.
 */
import { plural } from "../text/format.ts";
import { neutraliseLine, neutraliseWithin } from "../text/neutralise.ts";

export const reviewGateName = "Baton review";

/** GitHub finds the check run by it again. One commit has one. */
export function reviewGateId(repositoryId: number, sha: string): string {
  return `check:${repositoryId}/${sha}`;
}

export interface GateFacts {
  gate: "advisory" | "required";
  blocking: number;
  /** The findings as a list. Empty: there are none, or they are in the review. */
  list: string;
  override: { by: string; reason: string } | null;
}

export interface GateResult {
  conclusion: "success" | "failure" | "neutral";
  title: string;
  summary: string;
}

const reasonMax = 2_000;

export function reviewGate({ gate, blocking, list, override }: GateFacts): GateResult {
  const rule = `Rule: \`gates.review: ${gate}\`. ${
    gate === "required" ? "The check fails" : "The check is neutral"
  } while a blocking finding of the process \`review\` stands.`;
  const found = `${plural(blocking, "blocking finding")} ${blocking === 1 ? "stands" : "stand"}`;
  if (blocking === 0) return { conclusion: "success", title: "No blocking finding stands", summary: rule };
  if (override !== null)
    return {
      conclusion: "success",
      title: `Passed by @${neutraliseLine(override.by)}: ${found}`,
      summary: [
        rule,
        `@${neutraliseLine(override.by)} passed the check for this commit:`,
        neutraliseWithin(override.reason, reasonMax),
        list,
      ].join("\n\n"),
    };
  return {
    conclusion: gate === "required" ? "failure" : "neutral",
    title: found,
    summary: [
      rule,
      list,
      "To go on: fix the findings or resolve their threads, then comment `/baton run review`. A person who may decide otherwise comments `/baton override` with the reason.",
    ].join("\n\n"),
  };
}
