import { retirementText, retiringDefaults, tableAgeText } from "../../config/models.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { exitCodes } from "../exit.ts";
import { harnessesOf, healthOf } from "../harnesses.ts";
import { table } from "../text.ts";

export const harnessDoctor: CliCommand = (program, context) => {
  group(program, "harness", "The coding agents that Baton can use here.")
    .command("doctor [name]")
    .description(
      "Look whether harnesses are installed and answer, in which version, whether a key is set, what came of their last attempts, whether the sandbox works, and what GitHub says of the App. One that is ready is enough.",
    )
    .option(...jsonOption)
    .action(async (name: string | undefined, { json }: { json?: true }) => {
      const harnesses = await harnessesOf(context, name);
      const today = context.today?.() ?? new Date().toISOString().slice(0, 10);
      const retiring = retiringDefaults(today);
      const age = tableAgeText(today);
      const health = await healthOf(context, [...harnesses.keys()]);
      const found = await Promise.all(
        [...harnesses.values()].map(async (harness) => {
          const probe = await harness.probe();
          return {
            name: harness.name,
            ready: probe.installed && probe.authenticated,
            ...probe,
            health: health.get(harness.name) ?? null,
            warnings: retiring.filter((one) => one.harness === harness.name).map(retirementText),
          };
        }),
      );
      if (!found.some(({ ready }) => ready)) context.exit(exitCodes.no);
      if (json === true) return context.print(JSON.stringify(found, null, 2));
      context.print(
        table([
          ["HARNESS", "INSTALLED", "KEY", "LATELY", "WHAT TO DO"],
          ...found.map(({ name: one, installed, broken, version, authenticated, advice, health: lately }) => [
            one,
            broken === true ? "broken" : installed ? (version ?? "yes") : "no",
            authenticated ? "set" : "missing",
            lately ?? "unknown",
            advice ?? "",
          ]),
        ]),
      );
      for (const warning of [...found.flatMap(({ warnings }) => warnings), ...(age === null ? [] : [age])])
        context.print(`⚠️ Warning: ${warning}`);
      const { sandboxLineHere } = await import("../sandbox.ts");
      context.print(await sandboxLineHere(context));
      const { appLinesHere } = await import("../app-line.ts");
      for (const line of await appLinesHere(context)) context.print(line);
    });
};
