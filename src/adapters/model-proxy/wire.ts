/** What the proxy must know of a wire format. One file a wire in `wires/`, one line in `wires/index.ts`. */
import type { Tokens } from "../../core/vocabulary.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { type Fields, text } from "../harness/fields.ts";

export interface Route {
  /** False for what costs nothing: lists of models, counting of tokens. */
  metered: boolean;
  /** Where the path names it; else it is in the body. */
  model: string | null;
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
}

export interface Wire {
  name: string;
  provider: ModelProvider;
  /** `path` is relative to the address that the agent was given. Null: not of this wire. */
  route(method: string, path: string): Route | null;
  /** Makes the request tell what it will cost; a sentence refuses it. Changes `body` in place. */
  prepare(body: Fields): string | null;
  /** Reads one event of a stream, or a whole answer, into what is known so far. */
  read(message: Fields, reading: Reading): void;
  /** An error as this wire's clients understand it. */
  error(status: number, message: string): object;
}

export function newReading(): Reading {
  return { model: null, tokens: null, final: false, characters: 0 };
}

/** Lengths of the named texts, wherever a stream has them. */
export function lengthOf(...values: unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (text(value)?.length ?? 0), 0);
}
