import { limits } from "../../core/limits.ts";
import { inline, quoted } from "../quote.ts";
import type { PromptSection } from "../section.ts";

const max = limits.promptUntrustedCharactersMax;

/** Each text with its author. If there are too many comments, the newest stay. */
export const thread: PromptSection = {
  name: "thread",
  stratum: "turn",
  summary:
    "Title, text and comments of the thread, and what was asked for: each with its author and what they may here, as data.",
  write: ({ facts: { thread: facts, instructions } }) => {
    const what = facts.kind === "issue" ? "Issue" : "Pull request";
    let left: number = max;
    const comments = facts.comments.toReversed().flatMap(({ author, permission, body }) => {
      if (left <= 0) return [];
      left -= body.length;
      return [`${who(author, permission)}:\n${quoted(body, Math.max(200, left + body.length))}`];
    });
    const older = facts.comments.length - comments.length;
    return [
      {
        heading: `${what} #${facts.number} by ${who(facts.author, facts.authorPermission)}`,
        body: `${quoted(facts.title, 500)}\n\n${quoted(facts.body, max)}`,
      },
      {
        name: "comments",
        heading: "Comments, newest last",
        body: [
          ...(older > 0 ? [`(${older} older comment${older === 1 ? " is" : "s are"} left out.)`] : []),
          ...comments.toReversed(),
        ].join("\n\n"),
      },
      {
        name: "asked",
        heading: "What the person who asked for this run added",
        body: instructions === "" ? "" : quoted(instructions, 8_000),
      },
    ];
  },
};

/** With the author's permission here, which is the weight of the author's words. */
function who(author: string, permission: string): string {
  return `@${inline(author, 60)} (${permission === "none" ? "no" : inline(permission, 20)} access)`;
}
