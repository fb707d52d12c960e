/**
 * The command line: `baton <command>`. The commands generate the help, and errors come from the catalogue.
 *
 * Owns: how Baton reports errors and exit codes. Does not own: the effect of a command (`commands/`).
 * X1 Standard output holds only the answer. With `--json` it is one JSON value, also for an error.
 */
import { Command, CommanderError } from "commander";
import { BatonError, toBatonError } from "../core/errors.ts";
import { product } from "../core/product.ts";
import { commands } from "./commands/index.ts";
import { type CliContext, serverCommands, serverOption } from "./context.ts";
import { exitCodeOf, exitCodes, exitCodesHelp } from "./exit.ts";

/** Runs one command line (without `node` and the script). Resolves with the exit code. */
export async function runCli(words: readonly string[], outside: Omit<CliContext, "exit">): Promise<number> {
  let code: number = exitCodes.done;
  const context: CliContext = {
    ...outside,
    exit(wanted) {
      code = wanted;
    },
  };
  const program = buildProgram(context);
  try {
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (thrown) {
    // Commander has already printed the error or the help.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    const error = toBatonError(thrown);
    if (words.includes("--json"))
      context.print(JSON.stringify({ error: { ...error.toData(), remedy: error.remedy } }, null, 2));
    // GitHub's errors say how a server continues. Here, only the person can continue.
    else
      context.note(
        `${error.code}: ${error.message}\n${error.code === "BATON_GITHUB_UNAVAILABLE" ? "Ask again in a while." : error.remedy}`,
      );
    return exitCodeOf(error);
  }
}

export function buildProgram(context: CliContext): Command {
  const program = new Command("baton")
    .description("Runs coding agents on issues and pull requests under control.")
    .version(product.version, "-V, --version", "print the version")
    .option(...serverOption)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.print(text.replace(/\n$/, "")),
      writeErr: (text) => context.note(text.replace(/\n$/, "")),
    })
    .showHelpAfterError("`baton --help` shows how it is written.")
    .addHelpText(
      "after",
      `\nExit codes:\n${exitCodesHelp.map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}`,
    );
  for (const command of commands) command(program, context);
  program.hook("preAction", (_, command) => {
    const { server } = program.opts<{ server?: string }>();
    if (server === undefined) return;
    const name = nameOf(command);
    if (!serverCommands.includes(name))
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `\`baton ${name}\` works on this machine only. \`--server\` is for: ${serverCommands.join(", ")}.`,
      );
    context.environment = { ...context.environment, BATON_SERVER: server };
  });
  return program;
}

/** As people write it, without `baton`. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${parent.name()} ${command.name()}`;
}
