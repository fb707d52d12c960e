import type { CliCommand } from "../context.ts";

export const start: CliCommand = (program) => {
  program
    .command("start")
    .description("Start the App: webhooks, runs, everything. Settings come from the environment and from `.env`.")
    .action(async () => {
      await import("../../app/main.ts");
    });
};
