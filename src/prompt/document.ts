/**
 * The exact prompt of an attempt, kept by content hash: its sections in order, which give both texts.
 *
 * N1 Baton keeps the agent's prompt byte for byte. The redactor removed secrets before the agent got it.
 */
import { z } from "zod";
import { instructionSchema } from "../core/instructions.ts";
import { partsOf } from "./compose.ts";

const documentSchema = z.object({
  format: z.literal("baton-prompt/1"),
  harness: z.string(),
  model: z.string().nullable(),
  /** The place of stable and runtime: the harness's system text, or the head of its prompt. */
  delivery: z.enum(["system", "head"]),
  /** True if the harness continued an earlier conversation, so that this text followed it. */
  resumed: z.boolean(),
  sections: z.array(instructionSchema),
});
export type PromptDocument = z.output<typeof documentSchema>;

export function writeDocument(document: PromptDocument): string {
  return JSON.stringify(document, null, 1);
}

/** null: not such a document, for example a prompt that an older Baton kept as plain text. */
export function readDocument(text: string): PromptDocument | null {
  try {
    return documentSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The whole text in the order in which a model reads it. @internal for tests */
export function wholeOf({ sections }: Pick<PromptDocument, "sections">): string {
  const { system, user } = partsOf(sections);
  return [system, user].filter((part) => part !== "").join("\n\n");
}
