import { BatonError } from "../../core/errors.ts";
import { fold } from "../../core/fold.ts";
import type { Prompted } from "../../core/instructions.ts";
import { readDocument } from "../../prompt/document.ts";
import { type Inspection, inspectPrompt, type Told } from "../../prompt/inspect.ts";
import { charactersPerToken } from "../../prompt/tokens.ts";
import { promptsOf } from "../../runner/run-texts.ts";
import { count } from "../../text/format.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";
import { table } from "../text.ts";

interface Options {
  attempt?: string;
  text?: true;
  git?: string;
  json?: true;
}

export const promptInspect: CliCommand = (program, context) => {
  group(program, "prompt", "What agents are told.")
    .command("inspect <run> <step>")
    .description(
      "Print what the agent of one step was told: its sections by stratum, up to where a cache can reuse it, and which section differs from the prompt before it in the run.",
    )
    .option("--attempt <number>", "The attempt. Without it the newest.")
    .option("--text", "Print the words as well.")
    .option(...gitOption)
    .option(...jsonOption)
    .action(async (runId: string, step: string, { attempt, text, git, json }: Options) => {
      const inspection = await readRuns(context, git, async (runs) => {
        const events = await runs.events(runId);
        const { prompted, before } = promptsOf(events, step, attempt === undefined ? null : Number(attempt));
        const tell = async (prompted: Prompted | undefined): Promise<Told | null> => {
          if (prompted === undefined) return null;
          const document = readDocument((await runs.blob(runId, prompted.promptId)) ?? "");
          if (document === null) return null;
          const sections = document.sections.map((one) => ({ ...one, text: runs.redact(one.text) }));
          return { prompted, document: { ...document, sections } };
        };
        const told = await tell(prompted);
        if (told === null)
          throw new BatonError("BATON_INPUT_INVALID", `The prompt of "${step.slice(0, 60)}" is not kept any more.`);
        return inspectPrompt(told, await tell(before), fold(events));
      });
      if (json === true) return context.print(JSON.stringify({ runId, ...inspection }, null, 2));
      context.print(summary(runId, inspection));
      if (text !== true) return;
      for (const part of ["system", "user"] as const)
        context.print(`\n--- ${part}: ${count(inspection[part].length)} characters ---\n${inspection[part]}`);
    });
};

function summary(runId: string, told: Inspection): string {
  const where = told.delivery === "system" ? "its system text" : "the head of its prompt";
  const rows = told.strata.flatMap(({ stratum, sections, characters, tokens }) => [
    ...sections.map((one) => [stratum, one.name, `${one.offset}`, `${one.characters}`, `${one.tokens}`]),
    ...(sections.length === 0 ? [] : [[stratum, "(all)", "", `${characters}`, `${tokens}`]]),
  ]);
  return [
    `${runId}, ${told.step}, attempt ${told.attempt}: told to ${told.harness}${told.model === null ? "" : ` (${told.model})`}${told.resumed ? ", within the conversation of an earlier step" : ""}`,
    `kept as ${told.promptId}`,
    "",
    table([["STRATUM", "SECTION", "FROM", "CHARACTERS", "TOKENS"], ...rows]),
    "",
    `Tokens are estimated: ${charactersPerToken} characters each.`,
    `Stable and runtime are ${where}: a cache can reuse up to character ${told.cacheBoundary}.`,
    ...told.edits.map(({ by, section, change }) => `${by} ${change} the section ${section}.`),
    compared(told),
    ...(told.cached === null
      ? []
      : [
          `${percent(told.cached.fromCacheTokens, told.cached.inputTokens)} of its ${count(told.cached.inputTokens)} input tokens came from the service's cache, by the service's count.`,
        ]),
  ].join("\n");
}

function compared({ before }: Inspection): string {
  if (before === null) return "It is the first prompt of the run.";
  const { cacheable, brokenBy } = before;
  const share = percent(cacheable.sameCharacters, cacheable.characters);
  const since =
    brokenBy === null
      ? "nothing of it changed"
      : `the first that differs is ${brokenBy.name} (${brokenBy.stratum}), ${brokenBy.why}`;
  return `Against ${before.step}, attempt ${before.attempt}, by ${before.harness}: ${share} of stable and runtime are the same; ${since}.`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "100 %" : `${Math.floor((part / whole) * 100)} %`;
}
