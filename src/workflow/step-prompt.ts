/**
 * The task of a step's agent: the words of the file, with values of expressions as data.
 *
 * SP1 The prompt states words of the file plainly, because they come from the base branch. It quotes values of expressions.
 */
import { limits } from "../core/limits.ts";
import type { Json } from "../core/vocabulary.ts";
import type { Handoff } from "../prompt/facts.ts";
import { type Prompt, prompts } from "../prompt/prompts.ts";
import { quoted } from "../prompt/quote.ts";
import type { ProcessFacts } from "./facts.ts";
import type { TypeSchema } from "./schema.ts";
import { asText } from "./template.ts";

export function stepPrompt(
  facts: ProcessFacts,
  work: string,
  answer: TypeSchema | undefined,
  handoffs: Handoff[],
): Prompt {
  return prompts.custom({
    ...facts,
    ...(handoffs.length === 0 ? {} : { handoffs }),
    work: answer === undefined ? work : `${work}\n\n${answerForm(answer)}`,
    ending: answer === undefined ? "report" : "own",
  });
}

function answerForm(answer: TypeSchema): string {
  return [
    "End your last message with a JSON code block, and nothing after it, that fits this JSON Schema:",
    `\`\`\`json\n${JSON.stringify(answer, null, 2)}\n\`\`\``,
  ].join("\n\n");
}

/** SP1: short names, numbers and commits are part of the sentence. Everything else is fenced. */
export function asData(value: Json): string {
  const text = typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : asText(value);
  if (/^[\w./#@-]{0,100}$/.test(text)) return text;
  return `\n\n${quoted(text, limits.promptUntrustedCharactersMax)}\n\n`;
}

/** The JSON at the end of an agent's last message. undefined: there is none. */
export function answerIn(text: string): unknown {
  const blocks = [...text.matchAll(/^[ \t]*```(?:json)?[ \t]*\n([\s\S]*?)^[ \t]*```[ \t]*$/gm)];
  const last = blocks.at(-1)?.[1] ?? text;
  try {
    return JSON.parse(last) as unknown;
  } catch {
    return undefined;
  }
}
