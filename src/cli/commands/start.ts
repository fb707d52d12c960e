import type { CliCommand } from "../context.ts";
import { startDetached } from "../daemon.ts";

export const start: CliCommand = (program, context) => {
  program
    .command("start")
    .description("Start the App: webhooks, runs, everything. Settings come from the environment and from `.env`.")
    .option("--detach", "Return when it runs. Its log goes to `baton.log` in the data directory; `baton stop` ends it.")
    .action(async ({ detach }: { detach?: true }) => {
      if (detach === true) return startDetached(context);
      await import("../../app/main.ts");
    });
};
