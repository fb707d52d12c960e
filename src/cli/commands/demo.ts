import { type CliCommand, jsonOption } from "../context.ts";

interface Options {
  json?: true;
  serve: boolean;
  story?: string;
}

export const demo: CliCommand = (program, context) => {
  program
    .command("demo")
    .description("The whole job on this machine, without any account.")
    .option("--story <name>", "The story to show: job, or sweep (from a SARIF report to a merged pull request).")
    .option(...jsonOption)
    .option("--no-serve", "End after the job instead of serving the thread as a web page.")
    .action(async ({ json, serve, story }: Options) => {
      // The demo reads its own command line, so that `npm run demo` and this are the same.
      const words = [
        ...(story === undefined ? [] : ["--story", story]),
        ...(json === true ? ["--json"] : []),
        ...(serve ? [] : ["--no-serve"]),
      ];
      process.argv.splice(2, process.argv.length - 2, ...words);
      await import("../../demo/main.ts");
      context.exit(Number(process.exitCode ?? 0));
    });
};
