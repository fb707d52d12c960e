import { product } from "../../core/product.ts";
import { type CliCommand, jsonOption } from "../context.ts";

interface Options {
  json?: true;
  serve: boolean;
  story?: string;
  play?: true;
}

export const demo: CliCommand = (program, context) => {
  program
    .command("demo")
    .description("The whole job on this machine, without any account.")
    .option(
      "--story <name>",
      "The story to show: job, sweep (from a SARIF report to a merged pull request), or review (of a person's pull request).",
    )
    .option("--play", "Be the reviewer, in the pages of the local GitHub.")
    .option(...jsonOption)
    .option("--no-serve", "End after the job instead of serving the thread as a web page.")
    .action(async ({ json, serve, story, play }: Options) => {
      // The demo reads its own command line, so `npm run demo` and this command are the same.
      const words = [
        ...(story === undefined ? [] : ["--story", story]),
        ...(play === true ? ["--play"] : []),
        ...(json === true ? ["--json"] : []),
        ...(serve ? [] : ["--no-serve"]),
      ];
      process.argv.splice(2, process.argv.length - 2, ...words);
      const entry = `${product.localGitHubPackage}/demo`;
      if (!isInstalled(entry)) {
        context.note(
          `The demo is a package of its own. To get it: npm install ${product.localGitHubPackage}@${product.version}`,
        );
        context.exit(1);
        return;
      }
      await import(entry);
      context.exit(Number(process.exitCode ?? 0));
    });
};

function isInstalled(entry: string): boolean {
  try {
    import.meta.resolve(entry);
    return true;
  } catch {
    return false;
  }
}
