/**
 * One attempt's right to ask models: its token, its budget, what it used.
 *
 * Owns: counting, the bounds. Does not own: HTTP (`proxy.ts`), prices (the caller's function).
 * G1 A request is let through only while what was used, and what others of this grant will at least use, is below the budget.
 * G2 An answer that is cut before its service said what it used counts by its length: nobody gets tokens free by hanging up.
 * G3 Errors of the service are passed on and counted; too many in a row end the grant, whatever the client would still try.
 */
import type { ErrorData } from "../../core/errors.ts";
import { addTokens, noTokens, type Tokens } from "../../core/vocabulary.ts";
import type { GrantRequest, ModelUse } from "../../ports/model-proxy.ts";
import { statusError } from "../harness/run-harness.ts";
import type { Reading } from "./wire.ts";

/** A token of English or code has about four characters. */
const charactersPerToken = 4;
export const failuresInARowMax = 12;
/** What a refused key cannot do now it cannot do later. */
const keyRefusalsInARowMax = 2;
/** Requests that the proxy itself turned down; some clients ask for ever. */
export const refusalsMax = 30;

/** A request that is on its way. */
export interface Call {
  model: string;
  /** Of the request's body. */
  requestCharacters: number;
  reading: Reading | null;
  abort(): void;
  done: Promise<void>;
}

export class Grant {
  readonly request: GrantRequest;
  readonly #stop = new AbortController();
  readonly #uses = new Map<string, ModelUse>();
  readonly #calls = new Set<Call>();
  #failuresInARow = 0;
  #keyRefusalsInARow = 0;
  #refusals = 0;
  #revoked = false;
  #reason: ErrorData | null = null;

  constructor(request: GrantRequest) {
    this.request = request;
  }

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  stopReason(): ErrorData | null {
    return this.#reason;
  }

  /** Why the next request must not be sent; null lets it go (G1). */
  exhausted(): ErrorData | null {
    const limitUsd = this.request.limitUsd();
    const spentUsd = this.#usd(this.uses());
    let comingUsd = 0;
    for (const { reading, requestCharacters, model } of this.#calls) {
      if (reading === null || reading.tokens === null)
        comingUsd += this.request.priceUsd(model, { ...noTokens, input: tokensOf(requestCharacters) }) ?? 0;
    }
    if (spentUsd + comingUsd >= limitUsd)
      return {
        code: "BATON_BUDGET_EXCEEDED",
        message: `The budget of this step is used: ${spentUsd.toFixed(4)} of ${limitUsd.toFixed(4)} USD.`,
      };
    const { tokensMax } = this.request;
    const tokens = this.uses().reduce((sum, use) => sum + total(use.tokens), 0);
    if (tokensMax !== null && tokens >= tokensMax)
      return {
        code: "BATON_HARNESS_TOKENS",
        message: `The tokens of this step are used: ${tokens} of ${tokensMax} (\`limits.attemptTokens\`).`,
      };
    const { requestsMax } = this.request;
    const requests = this.uses().reduce((sum, use) => sum + use.requests, this.#calls.size);
    if (requestsMax !== null && requests >= requestsMax)
      return {
        code: "BATON_HARNESS_TURNS",
        message: `The turns of this step are used: models were asked ${requests} times (\`limits.turns\`).`,
      };
    return null;
  }

  begin(call: Call): void {
    this.#calls.add(call);
  }

  /** More is known of a running answer. */
  read(call: Call, reading: Reading): void {
    const first = call.reading?.tokens == null;
    call.reading = reading;
    // Its input is known with the first word, its output with the last: between them there is no news.
    if (reading.tokens !== null && (first || reading.final)) this.#tell(this.#nameOf(call));
  }

  /** The service answered; `cut` says who ended the answer, or the wait for it, before its end. */
  settle(call: Call, cut: "service" | "client" | null): void {
    if (!this.#calls.delete(call)) return;
    const { tokens, estimated } = used(call, cut === null);
    this.#keyRefusalsInARow = 0;
    this.#failuresInARow = cut === "service" ? this.#failuresInARow + 1 : 0;
    if (this.#failuresInARow >= failuresInARowMax)
      this.stop(statusError(503, `Its answers broke off ${this.#failuresInARow} times in a row.`));
    const model = this.#nameOf(call);
    const before = this.#uses.get(model) ?? { model, tokens: noTokens, requests: 0, estimated: 0 };
    this.#uses.set(model, {
      model,
      tokens: addTokens(before.tokens, tokens),
      requests: before.requests + 1,
      estimated: before.estimated + (estimated ? 1 : 0),
    });
    this.#tell(model);
  }

  /** The service answered with an error, or not at all: nothing was used (G3). */
  failed(call: Call, status: number, message: string): void {
    this.#calls.delete(call);
    this.#failuresInARow += 1;
    this.#keyRefusalsInARow = status === 401 || status === 403 ? this.#keyRefusalsInARow + 1 : 0;
    this.request.onRefusal({ status, model: call.model, message, inARow: this.#failuresInARow });
    if (this.#failuresInARow >= failuresInARowMax || this.#keyRefusalsInARow >= keyRefusalsInARowMax)
      this.stop(statusError(status, `${this.#failuresInARow} times in a row. ${message}`.trim()));
  }

  /** The proxy turned a request down. */
  refused(message: string): void {
    this.#refusals += 1;
    if (this.#refusals >= refusalsMax)
      this.stop({
        code: "BATON_HARNESS_CRASHED",
        message: `The agent asked ${this.#refusals} times for what it may not: ${message}`,
      });
  }

  stop(reason: ErrorData): void {
    this.#reason ??= reason;
    this.#stop.abort(this.#reason);
  }

  uses(): ModelUse[] {
    const uses = new Map(this.#uses);
    for (const call of this.#calls) {
      if (call.reading === null || call.reading.tokens === null) continue;
      const model = this.#nameOf(call);
      const before = uses.get(model) ?? { model, tokens: noTokens, requests: 0, estimated: 0 };
      uses.set(model, {
        ...before,
        tokens: addTokens(before.tokens, call.reading.tokens),
        requests: before.requests + 1,
      });
    }
    return [...uses.values()];
  }

  async revoke(): Promise<void> {
    this.#revoked = true;
    const calls = [...this.#calls];
    for (const call of calls) call.abort();
    await Promise.all(calls.map(({ done }) => done));
  }

  #tell(model: string): void {
    const use = this.uses().find((one) => one.model === model);
    if (use !== undefined) this.request.onUse(use);
  }

  #usd(uses: ModelUse[]): number {
    return uses.reduce((sum, { model, tokens }) => sum + (this.request.priceUsd(model, tokens) ?? 0), 0);
  }

  /** The service may answer with a dated name, or one that nobody has a price for: then what was asked for is the name. */
  #nameOf({ model, reading }: Call): string {
    const said = reading?.model ?? null;
    if (said === null || said === model || said.startsWith(`${model}-`)) return model;
    const priced = (name: string): boolean => this.request.priceUsd(name, noTokens) !== null;
    return !priced(said) && priced(model) ? model : said;
  }
}

function used({ reading, requestCharacters }: Call, whole: boolean): { tokens: Tokens; estimated: boolean } {
  const tokens = reading?.tokens ?? null;
  const said = tokensOf(reading?.characters ?? 0);
  // An answer that used nothing is one whose service says nothing.
  if (tokens === null || total(tokens) === 0)
    return { tokens: { ...noTokens, input: tokensOf(requestCharacters), output: said }, estimated: true };
  if ((reading?.final === true || whole) && tokens.output > 0) return { tokens, estimated: false };
  return { tokens: { ...tokens, output: Math.max(tokens.output, said) }, estimated: true };
}

function tokensOf(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

function total({ input, output, cacheRead, cacheWrite }: Tokens): number {
  return input + output + cacheRead + cacheWrite;
}
