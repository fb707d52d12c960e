import type { PromptSection } from "../section.ts";

/** PROMPT-012: depends on the effect's rights in version control. */
export const gitSafety: PromptSection = {
  name: "git-safety",
  stratum: "stable",
  summary: "What may be done to version control, by the access of the step.",
  write: ({ access }) => ({
    heading: "Git",
    body:
      access === "write"
        ? "You may commit, with messages that say why; what you leave uncommitted is committed for you. Do not push, do not change remotes, hooks, git's configuration, branches of others or history that was there before you."
        : "You read: log, diff, show, blame. Do not commit, switch branches or change anything; what you change is thrown away.",
  }),
};
