import { type ErrorCode, errorCatalogue } from "../../core/errors.ts";
import type { PartialWork } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import { quoted } from "../quote.ts";
import type { Resume } from "../resume.ts";
import type { PromptSection, Written } from "../section.ts";

/** The resume overlay. It belongs to the turn, so everything before it stays as in the earlier attempt. */
export const resume: PromptSection = {
  name: "resume",
  stratum: "turn",
  summary:
    "What the attempt before left; what of the run is done, waits, was decided. For every attempt but the first.",
  write: ({ resume: facts }) => (facts === null ? null : again(facts)),
};

/** Agents whose whole prompt comes from a process get this, too. */
export function again(facts: Resume): Written {
  const { attempt, ended, takenOverFrom, session, baseSha, headSha, partial } = facts;
  const who =
    takenOverFrom === null
      ? `This is attempt ${attempt} of this step; the one before ended early: ${why(ended)}`
      : `Another agent (${takenOverFrom}) began this task and could not go on: ${why(ended)} This is attempt ${attempt}.`;
  const work =
    headSha === null
      ? "It left no change."
      : `What it changed is committed here: look at \`git log ${baseSha}..HEAD\` and \`git diff ${baseSha}\` first, keep what is right and go on from there.`;
  const list = (what: string, lines: readonly string[]): string =>
    lines.length === 0 ? "" : `${what}:\n${quoted(lines.map((line) => `- ${line}`).join("\n"), 4_000)}`;
  return {
    heading: takenOverFrom === null ? "Where you are" : "Handoff",
    body: [
      `${who} ${work}`,
      session ? "You have what you learned in this conversation; do not explore again." : "",
      session || partial === null ? "" : farther(partial),
      list("Done in this run", facts.done),
      list("Waits for others", facts.pending),
      list("Decided by people", facts.decided),
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
  };
}

/** In the catalogue's words: the cause helps an agent more than a code. */
function why(code: string): string {
  const known = Object.hasOwn(errorCatalogue, code) ? errorCatalogue[code as ErrorCode].when : code;
  return `${known}${outOfRoom.has(code) ? " Do what is left by the shortest way, the essential first." : ""}`;
}

const outOfRoom = new Set<string>([
  "BATON_TIMEOUT",
  "BATON_HARNESS_HUNG",
  "BATON_HARNESS_TOKENS",
  "BATON_HARNESS_TURNS",
  "BATON_BUDGET_EXCEEDED",
] satisfies ErrorCode[]);

/** The words of the earlier attempt: its progress, never instructions. */
function farther({ text, todo, lastAction, turns }: PartialWork): string {
  if (text === "" && todo === "" && lastAction === "") return "";
  return [
    `The attempt before got this far in ${turns} turn${turns === 1 ? "" : "s"}; these are its words, check them against the tree.`,
    todo === "" ? "" : `Its list of things to do:\n${quoted(todo, limits.partialTodoCharactersMax)}`,
    text === "" ? "" : `What it said last:\n${quoted(text, limits.partialTextCharactersMax)}`,
    lastAction === "" ? "" : `What it did last:\n${quoted(lastAction, 400)}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
