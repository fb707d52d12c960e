/**
 * The grammar of each command, as data: help, refusals and suggestions are generated from it.
 * A command is one entry here and one handler of the same name in `commands/`.
 */
import { z } from "zod";

export interface OptionGrammar {
  /** Placeholder in the help. */
  value: string;
  summary: string;
  schema: z.ZodType<string | number>;
}

export interface CommandGrammar {
  name: string;
  aliases: string[];
  /** As it is written, without `/baton`. */
  usage: string;
  summary: string;
  examples: string[];
  /** Permission class of `baton.yaml` (`commands.run`, `commands.steer`), or `read`. */
  needs: "run" | "steer" | "read";
  /** How many words may stand before the free text. */
  words: { min: number; max: number };
  options: Record<string, OptionGrammar>;
  /** Whether free text belongs to it: the rest of the line, and the lines after. */
  text: boolean;
  /** True when it makes Baton work on the thread's own head. */
  worksOnHead: boolean;
  /** False: it makes sense without a run. */
  needsRun: boolean;
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/:-]{0,80}$/, "a name of letters, digits and . _ / : -");
const usd = z.coerce.number("an amount in USD, for example 2.50").positive("more than 0").max(10_000);

const command = (grammar: Partial<CommandGrammar> & Pick<CommandGrammar, "name" | "usage" | "summary">): CommandGrammar => ({
  aliases: [],
  examples: [],
  needs: "steer",
  words: { min: 0, max: 0 },
  options: {},
  text: false,
  worksOnHead: false,
  needsRun: true,
  ...grammar,
});

export const grammars: readonly CommandGrammar[] = [
  command({
    name: "run",
    usage: "run [process] [--harness NAME] [--model NAME] [--budget USD] [what to do]",
    summary: "Start a run on this thread.",
    examples: ["run", "run --budget 2.50 Keep the public API as it is."],
    needs: "run",
    options: {
      harness: { value: "NAME", summary: "Coding agent to use.", schema: name },
      model: { value: "NAME", summary: "Model to ask for.", schema: name },
      budget: { value: "USD", summary: "Most that this run may spend.", schema: usd },
    },
    text: true,
    worksOnHead: true,
    needsRun: false,
  }),
  command({ name: "status", usage: "status", summary: "Show where the run stands.", needs: "read" }),
  command({ name: "approve", usage: "approve [comment]", summary: "Approve what the run asks for: a plan, or protected paths.", text: true }),
  command({ name: "reject", usage: "reject <reason>", summary: "Reject what the run asks for.", text: true }),
  command({ name: "answer", usage: "answer <text>", summary: "Answer the run's question.", text: true }),
  command({ name: "cancel", usage: "cancel [reason]", summary: "Stop the run; pushed work stays.", aliases: ["stop"], text: true }),
  command({ name: "retry", usage: "retry [--budget USD]", summary: "Begin the last run anew.", needs: "run", options: { budget: { value: "USD", summary: "Most that the new run may spend.", schema: usd } }, worksOnHead: true, needsRun: false }),
  command({ name: "pause", usage: "pause [reason]", summary: "Begin no further step until `/baton resume`.", text: true }),
  command({ name: "resume", usage: "resume", summary: "Go on after a pause." }),
  command({ name: "budget", usage: "budget +USD", summary: "Top the run's budget up.", examples: ["budget +2"], needs: "run", words: { min: 1, max: 1 } }),
  command({ name: "cost", usage: "cost", summary: "Show what the run has cost, by step and model.", needs: "read" }),
  command({ name: "why", usage: "why", summary: "Show what was decided, by which rule, and what the run waits for.", needs: "read" }),
  command({ name: "refresh", usage: "refresh", summary: "Read this thread's state from GitHub again.", needs: "read" }),
  command({ name: "help", usage: "help [command]", summary: "Show the commands, and which of them you may use.", needs: "read", words: { min: 0, max: 1 }, needsRun: false }),
];
