/** Tokens before a model counted them: an estimate, said to be one wherever it is shown. */

/** English prose and code come to 3.5 to 4.5 characters a token with the tokenizers of today's models; other scripts to fewer. */
export const charactersPerToken = 4;

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}
