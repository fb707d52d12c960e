/** Commands whose permission `commands.allow` may set one by one. Generated from `src/commands/index.ts` by `npm run generate`. */
export const commandNames = [
  "run",
  "race",
  "status",
  "approve",
  "reject",
  "answer",
  "ask",
  "cancel",
  "retry",
  "pause",
  "resume",
  "budget",
  "priority",
  "cost",
  "why",
  "override",
  "ok-to-test",
  "refresh",
  "schedule",
  "migrate",
  "setup",
  "help",
] as const;

export type CommandName = (typeof commandNames)[number];
