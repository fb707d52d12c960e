/** A pull request's title: dead text in the thread, and without effect as the subject of its squash commit. */
import { titleLine } from "./commit-message.ts";
import { neutraliseLineWithin } from "./neutralise.ts";

const charactersMax = 200;

export function pullRequestTitle(raw: string): string {
  return neutraliseLineWithin(titleLine(raw, "Change"), charactersMax).trim() || "Change";
}
