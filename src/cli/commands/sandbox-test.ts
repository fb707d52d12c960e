import { type CliCommand, group, jsonOption } from "../context.ts";
import { exitCodes } from "../exit.ts";

export const sandboxTest: CliCommand = (program, context) => {
  group(program, "sandbox", "The sandbox that agents run in.")
    .command("test")
    .description(
      "Try to break out of the sandbox in every known way, with canaries of its own. Prints one line for each way. Succeeds only if all are stopped.",
    )
    .option("--harness <name>", "Also check that this harness starts in the sandbox.")
    .option(...jsonOption)
    .action(async ({ harness, json }: { harness?: string; json?: true }) => {
      const { testSandboxHere } = await import("../sandbox.ts");
      const results = await testSandboxHere(context, harness, (line) => {
        if (json !== true) context.print(line);
      });
      if (results.some(({ verdict }) => verdict !== "stopped")) context.exit(exitCodes.no);
      if (json === true) return context.print(JSON.stringify(results, null, 2));
      const stopped = results.filter(({ verdict }) => verdict === "stopped").length;
      context.note(`${stopped} of ${results.length} stopped.`);
    });
};
