/**
 * How model keys reach agents: never. An attempt gets an address on loopback and a token that is good for it alone.
 *
 * K1 The real key is in no agent's environment, home, arguments or answers.
 * K2 A token ends with its attempt; what it still has open is cut.
 * K3 What was used is counted from the service's own answers, whatever the harness says.
 * K5 A request is sent only with its money reserved, durably: its input at the upper bound, its output at the limit that it carries.
 */
import type { ErrorData } from "../core/errors.ts";
import type { Tokens } from "../core/vocabulary.ts";

export type ModelProvider = "anthropic" | "openai" | "gemini";

/** What an agent is told of one service. `login` when the key stands for a login of a person instead of an API key. */
export interface ModelAccess {
  baseUrl: string;
  key: string;
  kind: "api-key" | "login";
}

export type ModelAccesses = Partial<Record<ModelProvider, ModelAccess>>;

/** Cumulative for the grant. */
export interface ModelUse {
  model: string;
  tokens: Tokens;
  /** What the service charges next to tokens: searches in the web. Absent: nothing. */
  feesUsd?: number;
  requests: number;
  /** Of `requests`, those whose answer was cut before the service said what it used: counted by their length. */
  estimated: number;
}

/** A request that is about to be sent. */
export interface RequestMoney {
  model: string;
  /** At the bounds that it came with. */
  wantUsd: number;
  /** With less it is not sent. */
  leastUsd: number;
  /** All that was settled before, by model. */
  uses: ModelUse[];
  /** What others of this grant may use that are under way. */
  underWay: readonly { model: string; usd: number }[];
}

export interface GrantRequest {
  /** USD of these tokens; null where nobody knows. */
  priceUsd(model: string, tokens: Tokens): number | null;
  /** What the request may use, from `leastUsd` to `wantUsd`, once that is durable; null: there is not so much left. */
  reserve(asked: RequestMoney): Promise<number | null>;
  /** What to do with a model that nobody knows the price of. */
  unknownPrice: "stop" | "allow";
  /** All tokens together; null: no bound but money. */
  tokensMax: number | null;
  /** Questions to models, where the harness cannot bound its turns itself; null: no bound. */
  requestsMax: number | null;
  /** Names of models that may be asked for; null: any. */
  models: readonly string[] | null;
  /** Services that may be asked; null: all whose key is set. */
  providers: readonly ModelProvider[] | null;
  onUse(use: ModelUse): void;
  /** The service answered with an error, which was passed on. */
  onRefusal(refusal: { status: number; model: string | null; message: string; inARow: number }): void;
}

export interface ModelGrant {
  readonly models: ModelAccesses;
  uses(): ModelUse[];
  /** Aborted, with ErrorData as reason, when there is no sense in going on: budget used, key refused, too many errors in a row. */
  readonly stopped: AbortSignal;
  /** Why it stopped; null while it goes on. */
  stopReason(): ErrorData | null;
  /** Why the service refused the last request; null: it did not. */
  refusal(): ErrorData | null;
  /** The token is void at once; resolves when nothing of it is open any more and its use is final. */
  revoke(): Promise<void>;
}

export interface ModelProxy {
  /** Services whose key is set. */
  readonly providers: readonly ModelProvider[];
  grant(request: GrantRequest): ModelGrant;
  close(): Promise<void>;
}
