/**
 * Tokens and money of one attempt while it runs (X2).
 *
 * Owns: which count applies. Does not own: counting (the model proxy, the harness adapters), prices (`money/`).
 * M1 The proxy's count applies. If the harness reports another figure, Baton keeps it next to that count.
 * M2 If nothing passed the proxy, only the harness's own report exists.
 * M3 A report is cumulative: a lower one is ignored, and the largest counts. Amounts are finite and bounded.
 * M4 A self-reporting harness is charged at most one reservation beyond its own. A higher claim is only recorded: an
 *    agent's words must not use up the money of others.
 */
import type { Settings } from "../../config/schema.ts";
import type { ErrorData } from "../../core/errors.ts";
import { noTokens, type Tokens, type Usage, usdOf } from "../../core/vocabulary.ts";
import { priceUsage, unpriced } from "../../money/cost.ts";
import type { HarnessEvent, HarnessResult } from "../../ports/harness.ts";
import type { ModelUse } from "../../ports/model-proxy.ts";

type Report = HarnessResult["usage"][number];

export class Meter {
  readonly #controller = new AbortController();
  readonly #counted = new Map<string, Omit<ModelUse, "model">>();
  readonly #reported = new Map<string, Report>();
  readonly #harness: string;
  readonly #settings: Settings;
  readonly #shareUsd: number;
  /** The reservation at the start of the attempt. */
  readonly #firstUsd: number;
  readonly tokensMax: number | null;
  /** The attempt's reservation. Its growth is journaled first (B4). */
  reservedUsd: number;
  /** The harness reported less than in an earlier report (M3). */
  fell = false;

  constructor(
    harness: string,
    settings: Settings,
    reservedUsd: number,
    /** The part of the step's own budget share that is left for this attempt. */
    shareUsd = Number.POSITIVE_INFINITY,
    /** The most tokens of all kinds together. null: only money limits the attempt. */
    tokensMax: number | null = null,
  ) {
    this.#harness = harness;
    this.#settings = settings;
    this.reservedUsd = reservedUsd;
    this.#firstUsd = reservedUsd;
    this.#shareUsd = shareUsd;
    this.tokensMax = tokensMax;
  }

  /** The most that the attempt may use in all, whatever the run's rest. */
  get shareUsd(): number {
    return this.#shareUsd;
  }

  get limitUsd(): number {
    return Math.min(this.reservedUsd, this.#shareUsd);
  }

  get exceeded(): AbortSignal {
    return this.#controller.signal;
  }

  /** Reads a report of the harness. */
  take(event: HarnessEvent): void {
    if (event.type !== "usage") return;
    this.#report(event);
    this.#cap();
  }

  /**
   * Counts usage that the proxy saw. The proxy lets no request exceed the money, so only tokens can end the attempt
   * here.
   */
  count({ model, tokens, ...extra }: ModelUse): void {
    this.#counted.set(model, { ...extra, tokens: bounded(tokens) });
    this.#cap();
  }

  /** True once a request passed the proxy: then the proxy's count applies (M1). */
  get counts(): boolean {
    return this.#counted.size > 0;
  }

  /** The harness's reported usage exceeds the reservation, and Baton grants no more. */
  stop(): void {
    this.#controller.abort("budget");
  }

  /** Why the harness's report has no price. null: it has one. */
  unpriced(): ErrorData | null {
    return unpriced(this.usage(), this.#settings.budget.unknownPrice);
  }

  /** The usage that the proxy has settled, as the journal keeps it. */
  settled(uses: readonly ModelUse[]): Usage[] {
    return uses.map(({ model, tokens, feesUsd, priceFactor }) =>
      this.#price({ model, tokens: bounded(tokens), costUsd: null }, feesUsd, priceFactor),
    );
  }

  priceUsd(model: string, tokens: Tokens, priceFactor = 1): number | null {
    return this.#price({ model, tokens, costUsd: null }, 0, priceFactor).costUsd;
  }

  /** All usage that was counted, or that the harness claims. */
  claimedUsd(): number {
    return this.#counted.size > 0
      ? this.spentUsd()
      : usdOf([...this.#reported.values()].map((report) => this.#price(report)));
  }

  spentUsd(): number {
    return this.usage().reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
  }

  /** The proxy's count if a request passed it, otherwise the harness's own report (M1, M2). */
  tokens(): number {
    return this.usage().reduce(
      (sum, { tokens: { input, output, cacheRead, cacheWrite } }) => sum + input + output + cacheRead + cacheWrite,
      0,
    );
  }

  usage(): Usage[] {
    if (this.#counted.size === 0) return this.#charged(this.limitUsd + this.#firstUsd);
    const counted = [...this.#counted].map(([model, { tokens, feesUsd, priceFactor }]): Usage => {
      const report = this.#reported.get(model);
      // The reservation used the table's price. So the harness's figure counts only if the table has none.
      const priced = this.priceUsd(model, tokens) !== null;
      const figure = priced ? null : (report?.costUsd ?? null);
      const used = this.#price({ model, tokens, costUsd: figure }, feesUsd, priceFactor);
      const agrees =
        report !== undefined &&
        same(report.tokens, tokens) &&
        (report.costUsd === null || used.costUsd === null || report.costUsd <= used.costUsd + centTenthUsd);
      return report === undefined || agrees
        ? used
        : { ...used, reported: { tokens: report.tokens, costUsd: report.costUsd } };
    });
    const unseen = [...this.#reported.values()].filter(({ model }) => !this.#counted.has(model));
    return [
      ...counted,
      // Reported, but not seen: it costs nothing.
      ...unseen.map(
        ({ model, tokens, costUsd }): Usage => ({
          harness: this.#harness,
          model,
          tokens: noTokens,
          costUsd: 0,
          priceSource: "unknown",
          priceTableVersion: null,
          reported: { tokens, costUsd },
        }),
      ),
    ];
  }

  /** The part of a self-reporting harness's claim that the reservation covers. */
  covered(): Usage[] {
    return this.#charged(this.limitUsd);
  }

  /** M4 */
  #charged(mostUsd: number): Usage[] {
    let leftUsd = mostUsd;
    return [...this.#reported.values()].map((report) => {
      const used = this.#price(report);
      const costUsd = Math.min(used.costUsd ?? 0, leftUsd);
      leftUsd -= costUsd;
      return used.costUsd === null || used.costUsd === costUsd
        ? used
        : { ...used, costUsd, reported: { tokens: used.tokens, costUsd: used.costUsd } };
    });
  }

  /** Uses the harness's final report if there is one, otherwise the usage seen while it ran. */
  settle(result: HarnessResult): Usage[] {
    for (const used of result.usage) this.#report(used);
    return this.usage();
  }

  /** M3 */
  #report({ model, tokens, costUsd }: Report): void {
    const known = this.#reported.get(model);
    const next = { model, tokens: bounded(tokens), costUsd: costUsd === null ? null : boundedUsd(costUsd) };
    if (known === undefined) this.#reported.set(model, next);
    else {
      const largest = largerOf(known, next);
      if (!same(largest.tokens, next.tokens) || (next.costUsd !== null && largest.costUsd !== next.costUsd))
        this.fell = true;
      this.#reported.set(model, largest);
    }
  }

  #cap(): void {
    if (this.#counted.size === 0 && this.unpriced() !== null) this.#controller.abort("price");
    else if (this.tokensMax !== null && this.tokens() >= this.tokensMax) this.#controller.abort("tokens");
  }

  #price(report: Report, feesUsd = 0, priceFactor = 1): Usage {
    return priceUsage({ harness: this.#harness, ...report, feesUsd, priceFactor }, this.#settings.prices);
  }
}

/** Tolerance, because harnesses round. */
const centTenthUsd = 0.001;
/** No real attempt comes near. A higher figure is a harness's error, or a lie. */
const tokensPerAttemptMax = 1e12;
const usdPerAttemptMax = 1e6;
const within = (amount: number, max: number): number => (amount > 0 ? Math.min(amount, max) : 0);
const boundedUsd = (usd: number): number => within(usd, usdPerAttemptMax);

function bounded({ input, output, cacheRead, cacheWrite }: Tokens): Tokens {
  const count = (tokens: number): number => within(tokens, tokensPerAttemptMax);
  return { input: count(input), output: count(output), cacheRead: count(cacheRead), cacheWrite: count(cacheWrite) };
}

function largerOf(a: Report, b: Report): Report {
  const tokens = {
    input: Math.max(a.tokens.input, b.tokens.input),
    output: Math.max(a.tokens.output, b.tokens.output),
    cacheRead: Math.max(a.tokens.cacheRead, b.tokens.cacheRead),
    cacheWrite: Math.max(a.tokens.cacheWrite, b.tokens.cacheWrite),
  };
  const costUsd = a.costUsd === null ? b.costUsd : b.costUsd === null ? a.costUsd : Math.max(a.costUsd, b.costUsd);
  return { model: b.model, tokens, costUsd };
}

function same(a: Tokens, b: Tokens): boolean {
  return a.input === b.input && a.output === b.output && a.cacheRead === b.cacheRead && a.cacheWrite === b.cacheWrite;
}
