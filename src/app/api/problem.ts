/** Refusals of the HTTP API as problem details (RFC 9457), from the catalog of errors. */
import { z } from "zod";
import { type BatonError, errorCatalogue, errorCodes } from "../../core/errors.ts";
import { product } from "../../core/product.ts";

export const problemSchema = z.object({
  type: z.string().describe("Address of the error's documentation."),
  title: z.string().describe("The error's code as words."),
  status: z.number().int(),
  detail: z.string().describe("The failure, with the value that caused it."),
  code: z.enum(errorCodes).describe("Programs decide by it."),
  remedy: z.string().describe("What to do next."),
});
export type Problem = z.infer<typeof problemSchema>;

/** Faults of Baton and of its store keep their words for the log. */
const secretFrom = 500;

export function problemOf(error: BatonError): Problem {
  const { httpStatus: status, remedy } = errorCatalogue[error.code];
  const isOwnFault = status >= secretFrom && !error.code.startsWith("BATON_GITHUB_") && error.code !== "BATON_STOPPING";
  return {
    type: `https://github.com/${product.repository}/blob/main/docs/reference/errors.md`,
    title: wordsOf(error.code),
    status,
    detail: isOwnFault ? "Baton could not answer. Its log has the words." : error.message,
    code: error.code,
    remedy,
  };
}

function wordsOf(code: string): string {
  const words = code
    .replace(/^BATON_/, "")
    .replaceAll("_", " ")
    .toLowerCase();
  return `${words[0]?.toUpperCase()}${words.slice(1)}`;
}
