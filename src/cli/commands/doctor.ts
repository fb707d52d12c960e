import { type CliCommand, jsonOption } from "../context.ts";
import { exitCodes } from "../exit.ts";
import { table } from "../text.ts";

const marks = { ok: "✓ ok", warn: "! warn", bad: "✗ bad" } as const;

export const doctor: CliCommand = (program, context) => {
  program
    .command("doctor")
    .description(
      "Check the whole installation: program, git, App, GitHub, deliveries, database, disk, secrets, harnesses, models, sandbox. Says what to do, the most important first.",
    )
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const { healthHere, issuesOf, scoreOf } = await import("../health.ts");
      const findings = await healthHere(context);
      const score = scoreOf(findings);
      if (findings.some(({ state }) => state === "bad")) context.exit(exitCodes.no);
      if (json === true) return context.print(JSON.stringify({ score, findings }, null, 2));
      context.print(
        table([["PART", "STATE", ""], ...findings.map(({ part, state, says }) => [part, marks[state], says])]),
      );
      const todo = issuesOf(findings).flatMap(({ part, todo: step }) => (step === null ? [] : [`${part}: ${step}`]));
      context.print(`\nHealth: ${score} of 100.${todo.length === 0 ? "" : " What to do:"}`);
      for (const [index, line] of todo.entries()) context.print(`  ${index + 1}. ${line}`);
    });
};
