/** `/baton race claude codex:gpt-5 …`: contestants as people write them, each with its own name, branch and share. */
import { beginRun, type RaceChoice } from "../begin/begin-run.ts";
import { demandServed } from "../begin/demand-served.ts";
import { withoutOf } from "../begin/preflight.ts";
import { BatonError } from "../core/errors.ts";
import type { Priority } from "../core/priority.ts";
import { demandHarness } from "../routing/harness-names.ts";
import { deadlineOption, nameSchema, priorityOption, usdSchema, withoutOption } from "../thread/grammar.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const race = defineCommand({
  name: "race",
  usage:
    "race HARNESS[:MODEL] HARNESS[:MODEL]… [--budget USD] [--priority NAME] [--deadline TIME] [--without WHAT] [-- what to do]",
  summary:
    "Let several agents make the same change at once: green CI, then the smaller diff, then the lower cost wins and becomes the pull request.",
  examples: ["race claude codex --budget 4", "race claude:opus claude:sonnet -- Keep the public API as it is."],
  needs: "run",
  appliesTo: ["issue"],
  positional: [
    {
      name: "HARNESS[:MODEL]",
      summary: "Participant: a coding agent, and its model after a colon.",
      required: true,
      schema: nameSchema,
      atLeast: 2,
    },
  ],
  options: {
    budget: { value: "USD", summary: "Most that the whole race may spend.", schema: usdSchema },
    priority: priorityOption,
    deadline: deadlineOption,
    without: withoutOption,
  },
  text: "optional",
  worksOnHead: true,
  needsRun: false,
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { command, dependencies, settings } = context;
  const known = [...dependencies.harnesses.keys()];
  const contestants = contestantsOf(command.positional.map(String), known);
  for (const { harness, model } of contestants) if (model !== undefined) demandServed(model, harness, known, settings);
  const { contestants: max } = settings.race;
  if (contestants.length > max)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `A race has at most ${max} contestants here (\`race.contestants\`); this one names ${contestants.length}.`,
    );
  const priority = command.options["priority"] as Priority | undefined;
  await beginRun(context, {
    process: "race",
    harness: null,
    model: null,
    budgetUsd: (command.options["budget"] as number | undefined) ?? null,
    instructions: command.text,
    retryOf: null,
    ...(priority === undefined ? {} : { priority }),
    deadlineMinutes: (command.options["deadline"] as number | undefined) ?? null,
    without: withoutOf(command.options["without"]),
    race: { contestants },
  });
  return null;
}

function contestantsOf(words: readonly string[], known: readonly string[]): RaceChoice["contestants"] {
  const found = new Map<string, RaceChoice["contestants"][number]>();
  for (const word of words) {
    const [name = "", ...rest] = word.split(":");
    const model = rest.join(":");
    const harness = demandHarness(name, known);
    if (word.includes(":") && model === "")
      throw new BatonError("BATON_COMMAND_INVALID", `\`${word}\` has no model after its colon.`);
    const slug = slugOf(model === "" ? harness : `${harness}-${model}`);
    if (found.has(slug))
      throw new BatonError(
        "BATON_COMMAND_INVALID",
        `\`${word}\` takes part twice. Name each once, or the same one with another model: \`${harness}:MODEL\`.`,
      );
    found.set(slug, { slug, harness, ...(model === "" ? {} : { model }) });
  }
  return [...found.values()];
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
}
