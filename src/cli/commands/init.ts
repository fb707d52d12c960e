import type { CliCommand } from "../context.ts";

export const init: CliCommand = (program) => {
  program.command("init");
};
