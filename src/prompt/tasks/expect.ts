import { z } from "zod";
import { factsSchema } from "../facts.ts";
import { lastJsonBlock } from "../json-block.ts";
import { type Outcome, outcomeCharactersMax } from "../outcomes.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

/** Expected outcomes as statements, by an agent that does not judge them. So nobody expects only the existing behavior. */
export const expect = defineTask({
  name: "expect",
  facts: factsSchema,
  write: () => [
    now(
      [
        `Change nothing and judge nothing yet. Write down what must hold for this task to be done: three to ten statements of at most ${outcomeCharactersMax} characters each that somebody else can check as true or false, from what the thread asks for and nothing else. Say what can be seen (a result, an error, a file, a passing test), not how it is built.`,
        "End with a fenced block marked `json`, for example:",
        '```json\n{"outcomes": ["Two items at 3 cost 6", "An empty cart costs 0"]}\n```',
      ].join("\n\n"),
    ),
  ],
});

const expectedSchema = z.strictObject({
  outcomes: z.array(z.string().min(1).max(outcomeCharactersMax)).min(1).max(20),
});

/** Empty: nothing readable. */
export function readExpected(text: string): Outcome[] {
  const parsed = expectedSchema.safeParse(lastJsonBlock(text)?.value ?? null);
  return (parsed.data?.outcomes ?? []).map((statement, index) => ({ id: `expected.${index + 1}`, statement }));
}
