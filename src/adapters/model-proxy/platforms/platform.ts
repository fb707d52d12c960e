/**
 * A cloud that offers a service's models under addresses, names and logins of its own. An agent never notices: it speaks the
 * language of the models' maker, and the proxy translates.
 *
 * Owns: the shape. One file for each platform, one line in `index.ts`.
 * MP1 The budget, the allowed models and the count belong to the name that the agent asked for. Only the platform sees its own.
 * MP2 A login of a platform is in no agent's environment, and in no answer.
 */
import type { IncomingHttpHeaders } from "node:http";

export type Headers = Record<string, string | string[]>;

export interface PlatformAsk {
  method: string;
  /** Below the service's address, without the query. */
  path: string;
  /** With its question mark, or empty. */
  search: string;
  /** null: the request names none. */
  model: string | null;
  headers: Headers;
  body: Buffer;
}

export interface PlatformRequest {
  url: URL;
  headers: Headers;
  body: Buffer;
}

export interface Platform {
  /** Its errors are its own, so that clients of the service do not understand them. */
  translatesErrors: boolean;
  /** Values that must not be in an answer (MP2). */
  secrets(): readonly string[];
  /** Whether the platform has such a request. `path` is below the service's address. */
  offers(method: string, path: string): boolean;
  /** The platform's price as a factor of the maker's. */
  priceFactor(model: string): number;
  /** An offered request as the platform expects it. Rejects: there is no login. */
  requestOf(ask: PlatformAsk): Promise<PlatformRequest>;
  /** How an answer becomes what the agent understands. null: it is that. */
  answerOf?(
    headers: IncomingHttpHeaders,
  ): { headers: IncomingHttpHeaders; read(stream: AsyncIterable<Buffer>): AsyncIterable<Buffer> } | null;
}

/** The platform's name of a model, by the name that the agent asks for. */
export type ModelNames = Readonly<Record<string, string>>;

export function platformName(names: ModelNames, model: string): string {
  return Object.hasOwn(names, model) ? (names[model] as string) : model;
}
