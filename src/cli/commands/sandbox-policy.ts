import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { configPaths, type ParsedConfig, parseConfig, twoFilesProblem } from "../../config/parse.ts";
import { defaultSettings, type Settings } from "../../config/schema.ts";
import { BatonError } from "../../core/errors.ts";
import { type CliCommand, type CliContext, group, jsonOption } from "../context.ts";

const steps = ["agent", "setup", "shell"] as const;
type Step = (typeof steps)[number];

export const sandboxPolicy: CliCommand = (program, context) => {
  group(program, "sandbox", "The sandbox that agents run in.")
    .command("policy [step]")
    .description(
      `Print the rules of the sandbox for a step (${steps.join(", ")}; default: agent), and where each comes from. Reads the \`baton.yaml\` of this folder.`,
    )
    .option("--config <file>", "Read this configuration instead.")
    .option(...jsonOption)
    .action(async (step: string | undefined, { config, json }: { config?: string; json?: true }) => {
      const found = steps.find((one) => one === (step ?? "agent"));
      if (found === undefined)
        throw new BatonError("BATON_INPUT_INVALID", `"${step}" is not a kind of step: ${steps.join(", ")}.`);
      const { policyHere } = await import("../sandbox-policy.ts");
      const rules = await policyHere(context, found, settingsOf(context, config));
      if (json === true) return context.print(JSON.stringify(rules, null, 2));
      const width = Math.max(...rules.map(({ rule }) => rule.length));
      for (const { rule, value, from } of rules) context.print(`${rule.padEnd(width)}  ${value}  (${from})`);
    });
};

export type { Step };

function settingsOf({ directory }: CliContext, file: string | undefined): Settings {
  const path = file ?? configPaths.find((one) => existsSync(resolve(directory, one)));
  if (path === undefined) return defaultSettings;
  let text: string;
  try {
    text = readFileSync(resolve(directory, path), "utf8");
  } catch (thrown) {
    throw new BatonError("BATON_INPUT_INVALID", `"${path}" cannot be read.`, { cause: thrown });
  }
  const there = file === undefined ? configPaths.filter((one) => existsSync(resolve(directory, one))) : [];
  const parsed: ParsedConfig = there.length > 1 ? { ok: false, problems: [twoFilesProblem(there)] } : parseConfig(text);
  if (parsed.ok) return parsed.settings;
  throw new BatonError(
    "BATON_INPUT_INVALID",
    `${path} has problems. \`baton config check ${path}\` shows each with its line.`,
  );
}
