/** Commands whose permission `commands.allow` may set one by one: those of the grammar in `thread/`, which a test compares. */
export const commandNames = [
  "run",
  "race",
  "status",
  "approve",
  "reject",
  "answer",
  "cancel",
  "retry",
  "pause",
  "resume",
  "budget",
  "cost",
  "why",
  "refresh",
  "setup",
  "help",
] as const;
