/** The proxy's view of a wire format. One file per wire in `wires/`, one line in `wires/index.ts`. */
import type { Tokens } from "../../core/vocabulary.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { type Fields, text } from "../model-service/fields.ts";

export interface Route {
  /** False for free requests: lists of models, counting of tokens. */
  metered: boolean;
  /** Set where the path names the model. Otherwise the body names it. */
  model: string | null;
}

/** The bound of an answer's length, from the request. */
export interface Output {
  /** Tokens of each answer. Null: the request sets no limit, so the model's own limit applies. */
  limit: number | null;
  /** The number of answers requested at once. */
  answers: number;
  /** With a limit up to this value the service refuses the request, or its answer is empty. */
  above: number;
  /** Null where this path has no limit. */
  set: ((limit: number) => void) | null;
  /**
   * True where the model may hide some of its thoughts, or the service may work by itself. Nobody can count that on the
   * way.
   */
  hidden: boolean;
  /** True where the service runs tools by itself. These read content that the request does not hold. */
  serverTools: boolean;
  /** Null: the request permits no search that the service charges for. */
  searches: Searches | null;
}

/** Searches that the service makes by itself, and charges one by one. */
export interface Searches {
  /** The most that the request allows. Null: it names no bound. */
  limit: number | null;
  /** The request cannot ask for fewer. */
  least: number;
  /** Null where this path has no bound. */
  set: ((limit: number) => void) | null;
}

/** An answer's report on itself, read piece by piece. */
export interface Reading {
  /** The service's own name of the model that answered. */
  model: string | null;
  /** Null until the service has reported it. Later reports count. */
  tokens: Tokens | null;
  /** The service sent its last report on usage. */
  final: boolean;
  /** Characters of the model's text. They are the measure where the service never reports the rest. */
  characters: number;
  /** The number of web searches so far. Absent: none. */
  searches?: number;
  /** The model thought, and some of its thoughts are hidden. */
  hidden?: true;
}

export interface Wire {
  name: string;
  provider: ModelProvider;
  /** `path` is relative to the address that the agent got. Null: not of this wire. */
  route(method: string, path: string): Route | null;
  /** Makes the request report its usage. A returned sentence refuses the request. Changes `body` in place. */
  prepare(body: Fields): string | null;
  /** Requested extras that may cost more than tokens and searches: tools of the service, tiers (`uncountedFees`). */
  extras(body: Fields): string[];
  /** The bound of the answer, to be read and lowered (K5). */
  output(body: Fields, path: string): Output;
  /** Reads one event of a stream, or a whole answer, into the reading so far. */
  read(message: Fields, reading: Reading): void;
  /** An error in the form that this wire's clients understand. */
  error(status: number, message: string): object;
}

export function newReading(): Reading {
  return { model: null, tokens: null, final: false, characters: 0 };
}

/** Each count starts at the beginning, so the larger one is the later one. */
export function takeSearches(reading: Reading, searches: number): void {
  if (searches > (reading.searches ?? 0)) reading.searches = searches;
}

/** A field that selects a tier or a place, as `name value`. None where it is absent or null. */
export function choiceOf(body: Fields, name: string): string[] {
  const value = body[name];
  return value === undefined || value === null
    ? []
    : [`${name} ${typeof value === "string" ? value.toLowerCase() : JSON.stringify(value)}`];
}

/** A limit from JSON. Anything except a number from 1 up counts as none. */
export function limitOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value >= 1 ? Math.floor(value) : null;
}

/** Total length of the named texts in a stream. */
export function lengthOf(...values: unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (text(value)?.length ?? 0), 0);
}
