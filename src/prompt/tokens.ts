/** Tokens before a model counts them: an estimate, labeled as one everywhere. */

/** With the tokenizers of today's models, English prose and code have 3.5 to 4.5 characters a token. Other scripts have fewer. */
export const charactersPerToken = 4;

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}
