/**
 * One attempt's right to ask models: its token, its budget, its usage.
 *
 * Owns: counting, the bounds. Does not own: HTTP (`proxy.ts`), prices (the caller's function).
 * G1 A request passes only with money for its bounds. Settled usage counts once. So does the reserve of requests under
 *     way.
 * G2 An answer that is cut before its usage report counts by its length. It counts by its limit where part of it is
 *     hidden on the way. Nobody gets free tokens by hanging up.
 * G3 Errors of the service are passed on and counted. Too many in a row end the grant, whatever the client would still
 *     try.
 */

import { modelRow, type SearchFee } from "../../config/models.ts";
import type { ErrorData } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { addTokens, noTokens, type Tokens } from "../../core/vocabulary.ts";
import { priceUnknown } from "../../money/cost.ts";
import { normaliseModel } from "../../money/prices.ts";
import type { GrantRequest, ModelUse } from "../../ports/model-proxy.ts";
import { modelError } from "../model-service/service-error.ts";
import { type Input, InputBounds } from "./input-bound.ts";
import type { Output, Reading } from "./wire.ts";

/** A token of English or code has about four characters. */
const charactersPerToken = 4;
export const failuresInARowMax = 12;
/** A refused key or an unknown model will not work on a later try either. */
const keyRefusalsInARowMax = 2;
/** Requests that the proxy itself refused. Some clients retry forever. */
export const refusalsMax = 30;

/** A request that wants to be sent. */
export interface Ask {
  model: string;
  input: Input;
  output: Output;
  /** For `output.searches`. Null: there are none. */
  fee: SearchFee | null;
  /** A cloud may charge more than the listed price in some places. 1: it does not. */
  priceFactor: number;
}

/** The most that a sent request may use. */
export interface Reserved {
  tokens: Tokens;
  searches: number;
  usd: number;
}

/** A request that is on its way. */
export interface Call {
  ask: Ask;
  reserved: Reserved;
  reading: Reading | null;
  abort(): void;
  done: Promise<void>;
}

export class Grant {
  readonly request: GrantRequest;
  readonly #stop = new AbortController();
  readonly #uses = new Map<string, ModelUse>();
  readonly #calls = new Set<Call>();
  /** Reserved, and about to be sent. */
  readonly #waiting: (Reserved & { model: string })[] = [];
  readonly #bounds = new InputBounds();
  #tail: Promise<unknown> = Promise.resolve();
  #failuresInARow = 0;
  #keyRefusalsInARow = 0;
  #refusals = 0;
  #revoked = false;
  #reason: ErrorData | null = null;
  #refusal: ErrorData | null = null;

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

  /**
   * Reserves money, tokens and a turn for one more request before it is sent, and sets its output limit. An error says
   * why the request must not be sent. Reserves one request at a time, so that simultaneous requests see each other.
   */
  async reserve(ask: Ask): Promise<Reserved | ErrorData> {
    const reserved = this.#tail.then(() => this.#reserve(ask));
    this.#tail = reserved.catch(() => {});
    return reserved;
  }

  async #reserve(ask: Ask): Promise<Reserved | ErrorData> {
    const { model, output } = ask;
    const { request } = this;
    if (this.#revoked) return stepEnded;
    const reserved = [...this.#waiting, ...[...this.#calls].map((call) => call.reserved)];
    const settled = [...this.#uses.values()];
    const { requestsMax, tokensMax } = request;
    const requests = settled.reduce((sum, use) => sum + use.requests, 0) + reserved.length;
    if (requestsMax !== null && requests >= requestsMax)
      return {
        code: "BATON_HARNESS_TURNS",
        message: `The turns of this step are used: models were asked ${requests} times (\`limits.turns\`).`,
      };
    const input = this.#input(ask);
    const inputUsd = request.priceUsd(model, input, ask.priceFactor);
    const outputUsd = request.priceUsd(model, { ...noTokens, output: million }, ask.priceFactor);
    if ((inputUsd === null || outputUsd === null) && request.unknownPrice === "stop") return priceUnknown([model]);
    const each = outputUsd === null ? 0 : outputUsd / million;
    const wanted = output.limit ?? maxOutputOf(model);
    // The service itself refuses such a limit. Baton leaves that to the service.
    const least =
      output.set === null || wanted <= output.above
        ? wanted
        : Math.max(Math.min(wanted, limits.usefulOutputTokens), output.above + 1);
    const used = settled.reduce((sum, use) => sum + total(use.tokens), 0);
    const underWay = reserved.reduce((sum, one) => sum + total(one.tokens), 0);
    const tokensLeft = tokensMax === null ? Number.POSITIVE_INFINITY : tokensMax - used - underWay;
    const inputMost = total(input);
    if (tokensLeft < inputMost + least * output.answers)
      return {
        code: "BATON_HARNESS_TOKENS",
        message: `The tokens of this step are used: ${used + underWay} of ${tokensMax}, and the next request may need ${inputMost + least * output.answers} (\`limits.attemptTokens\`).`,
      };
    const searchesMost = mostSearches(ask) ?? limits.searchesPerRequest;
    const searchesLeast = Math.min(searchesMost, output.searches?.least ?? 0);
    const feeUsd = ask.fee?.usd ?? 0;
    const tokenLimit = Math.floor((tokensLeft - inputMost) / output.answers);
    const usdOf = (tokens: number, searches: number): number =>
      (inputUsd ?? 0) + tokens * output.answers * each + searches * feeUsd;
    const wantUsd = usdOf(Math.min(wanted, tokenLimit), searchesMost);
    const leastUsd = usdOf(least, searchesLeast);
    const usd = await request.reserve({
      model,
      wantUsd,
      leastUsd,
      uses: settled,
      underWay: [...this.#calls]
        .map((call) => ({ model: call.ask.model, usd: call.reserved.usd }))
        .concat(this.#waiting.map((one) => ({ model: one.model, usd: one.usd }))),
    });
    if (usd === null) {
      const spentUsd = this.#usd(settled);
      return {
        code: "BATON_BUDGET_EXCEEDED",
        message: `The budget of this step is used: ${spentUsd.toFixed(4)} USD, and the next request may need ${leastUsd.toFixed(4)} USD.`,
        details: { neededUsd: `${leastUsd}` },
      };
    }
    if (this.#revoked) return stepEnded;
    const affordable =
      each === 0
        ? Number.POSITIVE_INFINITY
        : Math.floor((usd - usdOf(0, searchesLeast)) / (output.answers * each) + 1e-6);
    const limit = Math.min(wanted, tokenLimit, Math.max(affordable, least));
    // Baton knows a model's own limit only if the table has the model.
    if (limit < wanted || (output.limit === null && modelRow(normaliseModel(model)) === null)) output.set?.(limit);
    // Words come first. The rest of the money pays for searches.
    const searchesPaid = feeUsd === 0 ? 0 : Math.floor((usd - usdOf(limit, 0)) / feeUsd + 1e-6);
    const searches = Math.max(searchesLeast, Math.min(searchesMost, searchesPaid));
    if (output.searches !== null && output.searches.limit !== searches) output.searches.set?.(searches);
    const held = { model, usd, tokens: { ...input, output: limit * output.answers }, searches };
    this.#waiting.push(held);
    return held;
  }

  /** The largest possible input, at its highest price. */
  #input({ model, input }: Ask): Tokens {
    const bound = this.#bounds.boundOf(input);
    const priced = (tokens: Tokens): number => this.request.priceUsd(model, tokens, 1) ?? 0;
    const read = { ...noTokens, input: bound };
    const written = { ...noTokens, cacheWrite: bound };
    return priced(written) > priced(read) ? written : read;
  }

  begin(call: Call): void {
    this.release(call.reserved);
    this.#calls.add(call);
  }

  /** Frees the reserve of a request that is not sent after all. */
  release(reserved: Reserved): void {
    const index = this.#waiting.findIndex((one) => one === reserved);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** The client left before anything was sent, so nothing was used. */
  dropped(call: Call): void {
    this.#calls.delete(call);
  }

  /** Updates a running answer. */
  read(call: Call, reading: Reading): void {
    const first = call.reading?.tokens == null;
    call.reading = reading;
    // The first word brings the input, the last word the output. Between them there is no news.
    if (reading.tokens !== null && (first || reading.final)) this.#tell(this.#nameOf(call));
  }

  /** The service answered. `cut` names the side that ended the answer, or the wait for it, early. */
  settle(call: Call, cut: "service" | "client" | null): void {
    if (!this.#calls.delete(call)) return;
    const { tokens, estimated, searches } = used(call, cut === null);
    if (!estimated) this.#bounds.learn(call.ask.input, tokens.input + tokens.cacheRead + tokens.cacheWrite);
    this.#keyRefusalsInARow = 0;
    this.#refusal = null;
    this.#failuresInARow = cut === "service" ? this.#failuresInARow + 1 : 0;
    if (this.#failuresInARow >= failuresInARowMax)
      this.stop(modelError(503, `Its answers broke off ${this.#failuresInARow} times in a row.`));
    const model = this.#nameOf(call);
    const before = this.#uses.get(model) ?? unused(model);
    this.#uses.set(model, {
      model,
      tokens: addTokens(before.tokens, tokens),
      ...feesOf(call.ask, searches, before),
      ...factorOf(call.ask),
      requests: before.requests + 1,
      estimated: before.estimated + (estimated ? 1 : 0),
    });
    this.#tell(model);
  }

  /**
   * The service answered with an error, or not at all, so nothing was used (G3). `listed`: its models, if it does not
   * know this one.
   */
  failed(call: Call, status: number, message: string, retryAfterMs: number | null = null, listed = ""): void {
    this.#calls.delete(call);
    const { model } = call.ask;
    const error = modelError(status, message, retryAfterMs);
    const isUnknown = error.code === "BATON_MODEL_UNKNOWN";
    this.#refusal = isUnknown
      ? { ...error, message: `The service does not know the model "${model}" (${status}). ${message}${listed}` }
      : error;
    this.#failuresInARow += 1;
    this.#keyRefusalsInARow = status === 401 || status === 403 || isUnknown ? this.#keyRefusalsInARow + 1 : 0;
    this.request.onRefusal({ status, model, message, inARow: this.#failuresInARow });
    if (this.#failuresInARow >= failuresInARowMax || this.#keyRefusalsInARow >= keyRefusalsInARowMax) {
      const times = `${this.#failuresInARow} times in a row.`;
      this.stop(isUnknown ? this.#refusal : modelError(status, `${times} ${message}`.trim(), retryAfterMs));
    }
  }

  /** Why the service refused the last request. Null: it did not. */
  refusal(): ErrorData | null {
    return this.#refusal;
  }

  /** The proxy refused a request. */
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
      const before = uses.get(model) ?? unused(model);
      uses.set(model, {
        ...before,
        ...factorOf(call.ask),
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
    return uses.reduce(
      (sum, { model, tokens, feesUsd, priceFactor }) =>
        sum + (feesUsd ?? 0) + (this.request.priceUsd(model, tokens, priceFactor ?? 1) ?? 0),
      0,
    );
  }

  /** The requested model counts. The service's own name counts only if it alone has a price. */
  #nameOf({ ask: { model }, reading }: Call): string {
    const said = reading?.model ?? null;
    const priced = (name: string): boolean => this.request.priceUsd(name, noTokens, 1) !== null;
    return said !== null && !priced(model) && priced(said) ? said : model;
  }
}

const stepEnded: ErrorData = { code: "BATON_CANCELLED", message: "The step has ended." };
const million = 1_000_000;

/** For a model outside the table: the limit of most models. */
function maxOutputOf(model: string): number {
  return modelRow(normaliseModel(model))?.outputMax ?? 128_000;
}

/** The most searches that the request may make. Null: nothing bounds them. */
export function mostSearches({ fee, output: { searches } }: Pick<Ask, "fee" | "output">): number | null {
  if (searches === null || fee === null) return 0;
  if (fee.per === "request") return 1;
  return searches.limit ?? (searches.set === null ? null : limits.searchesPerRequest);
}

function feesOf({ fee }: Ask, searches: number, before: ModelUse): Pick<ModelUse, "feesUsd"> {
  const charged = fee?.per === "request" ? Math.min(1, searches) : searches;
  const feesUsd = (before.feesUsd ?? 0) + charged * (fee?.usd ?? 0);
  return feesUsd > 0 ? { feesUsd } : {};
}

function factorOf({ priceFactor }: Ask): Pick<ModelUse, "priceFactor"> {
  return priceFactor === 1 ? {} : { priceFactor };
}

function unused(model: string): ModelUse {
  return { model, tokens: noTokens, requests: 0, estimated: 0 };
}

function used(call: Call, whole: boolean): { tokens: Tokens; estimated: boolean; searches: number } {
  const { tokens, estimated } = usedTokens(call, whole);
  const seen = call.reading?.searches ?? 0;
  // The searches of a cut answer after its last word are unknown.
  return { tokens, estimated, searches: estimated ? Math.max(seen, call.reserved.searches) : seen };
}

function usedTokens({ reading, reserved, ask }: Call, whole: boolean): { tokens: Tokens; estimated: boolean } {
  const tokens = reading?.tokens ?? null;
  const said = tokensOf(reading?.characters ?? 0);
  if (reading?.final === true && tokens !== null && total(tokens) > 0) return { tokens, estimated: false };
  if (whole) {
    // Zero usage means that the service reports none.
    if (tokens === null || total(tokens) === 0)
      return { tokens: { ...noTokens, input: tokensOf(ask.input.text.length), output: said }, estimated: true };
    // An error may end a stream in its middle, and its report is then of the start. Hidden thoughts are in no length.
    if (tokens.output > 0 && reading?.hidden !== true)
      return { tokens: { ...tokens, output: Math.max(tokens.output, said) }, estimated: said > tokens.output };
  }
  const unseen = ask.output.hidden || reading?.hidden === true;
  // Cut before its first word. The read, cached and thought tokens are unknown.
  const most = Math.max(reserved.tokens.output, said);
  if (tokens === null || total(tokens) === 0) return { tokens: { ...reserved.tokens, output: most }, estimated: true };
  const output = unseen ? most : Math.max(tokens.output, said);
  const known = ask.output.serverTools ? { ...tokens, input: Math.max(tokens.input, total(reserved.tokens)) } : tokens;
  return { tokens: { ...known, output }, estimated: true };
}

function tokensOf(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

function total({ input, output, cacheRead, cacheWrite }: Tokens): number {
  return input + output + cacheRead + cacheWrite;
}
