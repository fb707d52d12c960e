/** src/config/command-names.ts: the configuration stands below the commands, and has a key for each. */
import { commands } from "../../src/commands/index.ts";
import type { GeneratedFile } from "../generate.ts";

export function commandNames(): GeneratedFile {
  const text = [
    "/** Commands whose permission `commands.allow` may set one by one. Generated from `src/commands/index.ts` by `npm run generate`. */",
    "export const commandNames = [",
    ...commands.map(({ name }) => `  "${name}",`),
    "] as const;",
    "",
    "export type CommandName = (typeof commandNames)[number];",
    "",
  ].join("\n");
  return { path: "src/config/command-names.ts", text };
}
