import { type CliCommand, group, jsonOption } from "../context.ts";
import { harnessesOf } from "../harnesses.ts";
import { table } from "../text.ts";

export const harnessList: CliCommand = (program, context) => {
  group(program, "harness", "The coding agents that Baton can use here.")
    .command("list")
    .description("List harnesses: what each can do.")
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const harnesses = [...(await harnessesOf(context)).values()].map(({ name, defaultModel, capabilities }) => ({
        name,
        defaultModel,
        capabilities,
      }));
      if (json === true) return context.print(JSON.stringify(harnesses, null, 2));
      context.print(
        table([
          ["HARNESS", "MODEL", "CAN"],
          ...harnesses.map(({ name, defaultModel, capabilities }) => [
            name,
            defaultModel ?? "its own",
            Object.entries(capabilities)
              .filter(([, can]) => can)
              .map(([capability]) => capability)
              .join(", "),
          ]),
        ]),
      );
    });
};
