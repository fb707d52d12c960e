import type { CliCommand } from "../context.ts";
import { runningHere, stopHere } from "../daemon.ts";

export const stop: CliCommand = (program, context) => {
  program
    .command("stop")
    .description("Stop the App that runs on this data directory. Its work is saved, and the next start continues it.")
    .action(async () => {
      const running = await runningHere(context);
      if (running === null) return context.print("No Baton runs on this data directory.");
      await stopHere(context, running);
      context.print(`Baton (process ${running.about.pid}) has stopped.`);
    });
};
