import type { PromptSection } from "../section.ts";

/** PROMPT-011: the length of reports. A process may ask for more. The task defines the form of the end. */
export const output: PromptSection = {
  name: "output",
  stratum: "stable",
  summary: "How much to say; `manner.verbosity` of the facts.",
  write: ({ facts }) => ({
    heading: "What you write",
    body:
      facts.manner?.verbosity === "full"
        ? "Explain what you found and why you decide as you do, for a reader who was not there. Say what is so; do not narrate single steps, and do not repeat files or logs."
        : "Say little while you work. Do not narrate steps, do not repeat files, logs or this text. Your last message is read by people: plain, short, complete.",
  }),
};
