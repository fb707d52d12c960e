/** Figures as people read them. */
import type { Tokens } from "../core/vocabulary.ts";

export function usd(amount: number): string {
  return `$${amount.toFixed(amount !== 0 && amount < 0.1 ? 4 : 2)}`;
}

export function count(tokens: number): string {
  if (tokens < 1_000) return `${tokens}`;
  return tokens < 1_000_000 ? `${(tokens / 1_000).toFixed(1)}k` : `${(tokens / 1_000_000).toFixed(2)}M`;
}

/** "1 file", "2 files". */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

export function totalTokens({ input, output, cacheRead, cacheWrite }: Tokens): number {
  return input + output + cacheRead + cacheWrite;
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** A program's message may have several lines. In a list or a headline, a line end would end it. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** An even number of backslashes before a pipe escapes only themselves. */
export function pipesEscaped(text: string): string {
  return text.replace(/(\\*)\|/g, (pipe, slashes: string) => (slashes.length % 2 === 0 ? `${slashes}\\|` : pipe));
}

/** Text within a table cell: one line, no pipe that could end it. */
export function cell(text: string): string {
  return pipesEscaped(oneLine(text));
}

/** UTC, for example `12:03:10`. */
export function timeOfDay(at: number): string {
  const seconds = Math.floor(at / 1_000) % 86_400;
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
