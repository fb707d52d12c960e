/**
 * Agents never get model keys. An attempt gets an address on loopback, and a token that is valid only for it.
 *
 * K1 The real key is in no agent's environment, home, arguments or answers.
 * K2 A token ends with its attempt. Its open requests are cut.
 * K3 The proxy counts usage from the service's own answers, whatever the harness reports.
 * K5 The proxy sends a request only after its money is durably reserved: the input at its upper bound, the output at
 *    the request's limit.
 */
import type { ErrorData } from "../core/errors.ts";
import type { Tokens } from "../core/vocabulary.ts";

export type ModelProvider = "anthropic" | "openai" | "gemini";

/** An agent's access to one service. `login` if the key is a person's login instead of an API key. */
export interface ModelAccess {
  baseUrl: string;
  key: string;
  kind: "api-key" | "login";
  /** A cloud offers the service. It refuses what only the maker's own service knows. */
  onPlatform?: true;
}

export type ModelAccesses = Partial<Record<ModelProvider, ModelAccess>>;

/** Cumulative for the grant. */
export interface ModelUse {
  model: string;
  tokens: Tokens;
  /** Charges of the service for other things than tokens: web searches. Absent: none. */
  feesUsd?: number;
  /** The price at a cloud's place, as a factor of the listed one. Absent: 1. */
  priceFactor?: number;
  requests: number;
  /** The number of `requests` whose answer was cut before the service reported usage: Baton estimates it by length. */
  estimated: number;
}

/** A request before it is sent. */
export interface RequestMoney {
  model: string;
  /** Cost at the request's own bounds. */
  wantUsd: number;
  /** With less money, the proxy does not send the request. */
  leastUsd: number;
  /** All settled usage, by model. */
  uses: ModelUse[];
  /** The maximum usage of this grant's other requests under way. */
  underWay: readonly { model: string; usd: number }[];
}

export interface GrantRequest {
  /** `owner/name`: its own keys take precedence. Absent: the general ones. */
  repository?: string;
  /** USD of these tokens, at a factor of the listed price. null: the price is unknown. */
  priceUsd(model: string, tokens: Tokens, priceFactor: number): number | null;
  /** The granted amount, from `leastUsd` to `wantUsd`, once it is durable. null: there is not enough left. */
  reserve(asked: RequestMoney): Promise<number | null>;
  /** The reaction to a model without a known price. */
  unknownPrice: "stop" | "allow";
  /** All tokens together. null: only money limits them. */
  tokensMax: number | null;
  /** Model requests, if the harness cannot limit its turns itself. null: no limit. */
  requestsMax: number | null;
  /** Names of allowed models. null: any. */
  models: readonly string[] | null;
  /** Allowed services. null: all services with a key. */
  providers: readonly ModelProvider[] | null;
  onUse(use: ModelUse): void;
  /** The service answered with an error, which the proxy passed on. */
  onRefusal(refusal: { status: number; model: string | null; message: string; inARow: number }): void;
}

export interface ModelGrant {
  readonly models: ModelAccesses;
  uses(): ModelUse[];
  /**
   * Aborted, with ErrorData as reason, when no further request makes sense: budget used, key refused, too many
   * consecutive errors.
   */
  readonly stopped: AbortSignal;
  /** Why it stopped. null: it has not stopped. */
  stopReason(): ErrorData | null;
  /** Why the service refused the last request. null: it did not. */
  refusal(): ErrorData | null;
  /** Revokes the token at once. Resolves when none of its requests is open and its usage is final. */
  revoke(): Promise<void>;
}

export interface ModelProxy {
  /** Services with a key. */
  readonly providers: readonly ModelProvider[];
  grant(request: GrantRequest): ModelGrant;
  close(): Promise<void>;
}
