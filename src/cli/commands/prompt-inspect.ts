import { agentInputSchema } from "../../core/effect.ts";
import { BatonError } from "../../core/errors.ts";
import { fold } from "../../core/fold.ts";
import type { EffectState } from "../../core/state.ts";
import { partsOf } from "../../prompt/compose.ts";
import { readDocument } from "../../prompt/document.ts";
import { count } from "../../thread/render/format.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";

async function toldTo(
  { key, attempts, input }: EffectState,
  blob: (id: string) => Promise<string | null>,
): Promise<{ system: string; user: string }> {
  const id = attempts.at(-1)?.promptId ?? null;
  const document = id === null ? null : readDocument((await blob(id)) ?? "");
  if (document !== null) return partsOf(document.sections);
  const { prompt } = agentInputSchema.parse(input);
  if ("system" in prompt) return prompt;
  throw new BatonError("BATON_INPUT_INVALID", `The agent of "${key}" has not been told anything yet.`);
}

export const promptInspect: CliCommand = (program, context) => {
  group(program, "prompt", "What agents are told.")
    .command("inspect <run> <step>")
    .description("Print the prompt of one step, as its agent gets it.")
    .option(...gitOption)
    .option(...jsonOption)
    .action(async (runId: string, key: string, { git, json }: { git?: string; json?: true }) => {
      const { prompt, redact } = await readRuns(context, git, async (runs) => {
        const { effects } = fold(await runs.events(runId));
        const agents = [...effects.values()].filter(({ kind }) => kind === "agent");
        const effect = agents.find((one) => one.key === key);
        if (effect === undefined)
          throw new BatonError(
            "BATON_INPUT_INVALID",
            `The run has no agent's step "${key.slice(0, 60)}". It has: ${agents.map((one) => one.key).join(", ") || "none"}.`,
          );
        return { prompt: await toldTo(effect, (id) => runs.blob(runId, id)), redact: runs.redact };
      });
      const told = { system: redact(prompt.system), user: redact(prompt.user) };
      if (json === true) return context.print(JSON.stringify({ runId, step: key, ...told }, null, 2));
      for (const part of ["system", "user"] as const) {
        context.print(`--- ${part}: ${count(told[part].length)} characters ---`);
        context.print(told[part]);
      }
    });
};
