import type { CliCommand } from "../context.ts";
import { withRuns } from "../data.ts";

export const open: CliCommand = (program, context) => {
  program
    .command("open")
    .description(
      "Print a link that signs a browser on this machine in to the HTTP API, as the operator. It works once, within 5 minutes. Needs a running App that listens at a loopback address.",
    )
    .action(async () => {
      context.print(await withRuns(context, (runs) => runs.signIn()));
    });
};
