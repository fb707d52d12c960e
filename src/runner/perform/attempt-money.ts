/**
 * Money of one attempt while it runs: Baton journals the meter's figures before the attempt uses more (B4).
 *
 * AM1 The proxy sends a request only after its reservation is durable. The reservation needs one append, or none if an
 *     earlier one covers it.
 * AM2 Each report of a self-reporting harness is journaled. After a report above the reservation, the harness gets more
 *     money or is stopped. It is charged at most one reservation beyond (meter.M4).
 */
import { usdOf } from "../../core/vocabulary.ts";
import { type Metering, reservedUsage } from "../../money/metering.ts";
import type { GrantRequest, RequestMoney } from "../../ports/model-proxy.ts";
import type { Meter } from "./meter.ts";

/** The answer to a request for money: the granted amount (null: none), and the current reservation. */
export interface Metered {
  grantedUsd: number | null;
  reservedUsd: number;
}

export type TellMeter = (metering: Metering) => Promise<Metered>;

/** A self-reporting harness gets more money in steps of this part of its first reservation. */
const stepPart = 0.25;
const stepUsdMin = 0.05;

export class AttemptMoney {
  readonly #meter: Meter;
  readonly #harness: string;
  readonly #tell: TellMeter;
  readonly #stepUsd: number;
  /** Used and held money, as journaled: a crash charges this amount. */
  #journaledUsd = 0;
  #telling: Promise<void> | null = null;
  #news = false;

  constructor(harness: string, meter: Meter, tell: TellMeter) {
    this.#harness = harness;
    this.#meter = meter;
    this.#tell = tell;
    this.#stepUsd = Math.max(stepUsdMin, meter.reservedUsd * stepPart);
  }

  /** AM1 */
  readonly reserve: GrantRequest["reserve"] = async ({ model, wantUsd, leastUsd, uses, underWay }: RequestMoney) => {
    const usage = this.#meter.settled(uses);
    const held = underWay.map((other) => reservedUsage(this.#harness, other.model, other.usd));
    const usedUsd = usdOf(usage) + usdOf(held);
    // An earlier request used less than its grant, so the journaled amount also covers this one.
    if (usedUsd + wantUsd <= this.#journaledUsd) return wantUsd;
    const grantedUsd = await this.#ask({
      usage,
      held,
      request: { harness: this.#harness, model, wantUsd, leastUsd },
      capUsd: this.#meter.shareUsd,
    });
    if (grantedUsd !== null) this.#journaledUsd = usedUsd + grantedUsd;
    return grantedUsd;
  };

  /** AM2: the harness reported some usage. */
  reported(): void {
    if (this.#meter.counts) return;
    // The step's share is used up: there is no more money to ask for.
    if (this.#meter.claimedUsd() >= this.#meter.shareUsd) this.#meter.stop();
    this.#news = true;
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null;
    });
  }

  /** Resolves when all reports are in the journal. */
  async told(): Promise<void> {
    await this.#telling;
  }

  /** Reports the newest figures. Reports that arrive in the meantime are combined. */
  async #tellAll(): Promise<void> {
    while (this.#news) {
      this.#news = false;
      const claimedUsd = this.#meter.claimedUsd();
      const { limitUsd } = this.#meter;
      const ask = { held: [], capUsd: this.#meter.shareUsd };
      if (claimedUsd < limitUsd) {
        await this.#ask({ ...ask, usage: this.#meter.usage(), request: null }).catch(() => null);
        continue;
      }
      const wantUsd = claimedUsd - limitUsd + this.#stepUsd;
      const request = { harness: this.#harness, model: null, wantUsd, leastUsd: stepUsdMin / 10 };
      const grantedUsd = await this.#ask({ ...ask, usage: this.#meter.covered(), request }).catch(() => null);
      if (grantedUsd === null) {
        this.#meter.stop();
        // The usage is booked, but without further money: the reservation does not grow here.
        await this.#tell({ ...ask, usage: this.#meter.usage(), request: null }).catch(() => null);
        return;
      }
      // The report may exceed the new amount, too.
      this.#news ||= this.#meter.claimedUsd() >= this.#meter.limitUsd;
    }
  }

  async #ask(metering: Metering): Promise<number | null> {
    const { grantedUsd, reservedUsd } = await this.#tell(metering);
    this.#meter.reservedUsd = reservedUsd;
    return grantedUsd;
  }
}
