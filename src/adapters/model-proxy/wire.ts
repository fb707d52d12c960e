/** What the proxy must know of a wire format. One file a wire in `wires/`, one line in `wires/index.ts`. */
import type { Tokens } from "../../core/vocabulary.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { type Fields, text } from "../model-service/fields.ts";

export interface Route {
  /** False for what costs nothing: lists of models, counting of tokens. */
  metered: boolean;
  /** Where the path names it; else it is in the body. */
  model: string | null;
}

/** How long an answer may become, as the request says it. */
export interface Output {
  /** Tokens of each answer; null: it says none, so the model's own limit holds. */
  limit: number | null;
  /** How many answers are asked for at once. */
  answers: number;
  /** With a limit of no more than this the service refuses the request, or its answer is empty. */
  above: number;
  /** Null where this path knows no limit. */
  set: ((limit: number) => void) | null;
  /** True where the model may think without showing all of it, or the service may work by itself: nobody can count that on the way. */
  hidden: boolean;
  /** True where the service runs tools by itself, which read what the request does not hold. */
  serverTools: boolean;
  /** Null: the request lets the service search nothing that it charges for. */
  searches: Searches | null;
}

/** Searches that the service makes by itself, and charges one by one. */
export interface Searches {
  /** The most that the request allows; null: it names no bound. */
  limit: number | null;
  /** The request can ask for no fewer. */
  least: number;
  /** Null where this path knows no bound. */
  set: ((limit: number) => void) | null;
}

/** What an answer says of itself, read piece by piece. */
export interface Reading {
  /** The service's own name of what answered. */
  model: string | null;
  /** Null until the service has said it; what comes later counts. */
  tokens: Tokens | null;
  /** The service said its last word on what was used. */
  final: boolean;
  /** Of what the model said: the measure where the service never says the rest. */
  characters: number;
  /** Searches in the web that were made so far; absent: none. */
  searches?: number;
  /** The model thought, and not all of it is shown. */
  hidden?: true;
}

export interface Wire {
  name: string;
  provider: ModelProvider;
  /** `path` is relative to the address that the agent was given. Null: not of this wire. */
  route(method: string, path: string): Route | null;
  /** Makes the request tell what it will cost; a sentence refuses it. Changes `body` in place. */
  prepare(body: Fields): string | null;
  /** What it asks for that may cost more than tokens and searches: tools of the service, tiers (`uncountedFees`). */
  extras(body: Fields): string[];
  /** The bound of the answer, to be read and lowered (K5). */
  output(body: Fields, path: string): Output;
  /** Reads one event of a stream, or a whole answer, into what is known so far. */
  read(message: Fields, reading: Reading): void;
  /** An error as this wire's clients understand it. */
  error(status: number, message: string): object;
}

export function newReading(): Reading {
  return { model: null, tokens: null, final: false, characters: 0 };
}

/** Each count is from the beginning: the larger is the later. */
export function takeSearches(reading: Reading, searches: number): void {
  if (searches > (reading.searches ?? 0)) reading.searches = searches;
}

/** A field that chooses a tier or a place, as `name value`; none where it is absent or null. */
export function choiceOf(body: Fields, name: string): string[] {
  const value = body[name];
  return value === undefined || value === null
    ? []
    : [`${name} ${typeof value === "string" ? value.toLowerCase() : JSON.stringify(value)}`];
}

/** A limit as JSON has it: anything but a number from 1 is none. */
export function limitOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value >= 1 ? Math.floor(value) : null;
}

/** Lengths of the named texts, wherever a stream has them. */
export function lengthOf(...values: unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (text(value)?.length ?? 0), 0);
}
