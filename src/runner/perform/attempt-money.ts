/**
 * Money of one attempt while it runs: what the meter says goes into the journal before more is used (B4).
 *
 * AM1 A request of the proxy is sent only after its reservation is durable: in one append, or in none where an earlier one covers it.
 * AM2 Of a harness that reports by itself each report is journaled. With a report beyond what is set aside it gets more, or is
 *     stopped: it is charged at most one reservation beyond (meter.M4).
 */
import { usdOf } from "../../core/vocabulary.ts";
import { type Metering, reservedUsage } from "../../money/metering.ts";
import type { GrantRequest, RequestMoney } from "../../ports/model-proxy.ts";
import type { Meter } from "./meter.ts";

/** What came of asking: the money for the request, null for none, and what is set aside now. */
export interface Metered {
  grantedUsd: number | null;
  reservedUsd: number;
}

export type TellMeter = (metering: Metering) => Promise<Metered>;

/** A harness that reports by itself is given more in steps of this part of what was set aside first. */
const stepPart = 0.25;
const stepUsdMin = 0.05;

export class AttemptMoney {
  readonly #meter: Meter;
  readonly #harness: string;
  readonly #tell: TellMeter;
  readonly #stepUsd: number;
  /** What was used and what is held, as the journal has it: a crash charges that. */
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
    // An earlier request used less than it was given: what the journal holds for the attempt covers this one too.
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

  /** AM2: the harness said something of what it used. */
  reported(): void {
    if (this.#meter.counts) return;
    // No more can come: there is nothing to ask for first.
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

  /** The newest report is told; those that come meanwhile are told together. */
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
        // Booked, and no money to go on with: what is set aside does not grow here.
        await this.#tell({ ...ask, usage: this.#meter.usage(), request: null }).catch(() => null);
        return;
      }
      // The report may be beyond the new amount too.
      this.#news ||= this.#meter.claimedUsd() >= this.#meter.limitUsd;
    }
  }

  async #ask(metering: Metering): Promise<number | null> {
    const { grantedUsd, reservedUsd } = await this.#tell(metering);
    this.#meter.reservedUsd = reservedUsd;
    return grantedUsd;
  }
}
