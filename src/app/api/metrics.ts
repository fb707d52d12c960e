/**
 * `GET /metrics` for Prometheus. `deploy/monitoring` has a dashboard and alerts over these names.
 *
 * MT1 Figures of the whole installation come from the store at each scrape, so every replica shows the same ones. Figures of
 *     this process say so in their help.
 * MT2 No label names a repository, a person or a run: the token for metrics belongs to no person.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { product } from "../../core/product.ts";
import { activeRunStatuses } from "../../core/vocabulary.ts";
import { dayOf } from "../../money/allowance.ts";
import type { RunRow } from "../../ports/store.ts";
import { circuitState } from "../../routing/circuit.ts";
import { circuitKey } from "../../routing/rank.ts";
import { circuitOf } from "../../runner/perform/route.ts";
import type { ApiParts } from "./handlers.ts";

const rowsAtOnce = 1_000;

export class Metrics {
  readonly #parts: Pick<ApiParts, "dependencies" | "runner">;
  readonly #registry = new Registry();
  readonly #requests = this.#counter("baton_api_requests_total", "Requests to the HTTP API of this process.", [
    "route",
    "status",
  ]);
  readonly #seconds = new Histogram({
    name: "baton_api_request_seconds",
    help: "Time to answer a request to the HTTP API of this process.",
    labelNames: ["route"],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [this.#registry],
  });
  readonly #lag = new Histogram({
    name: "baton_event_lag_seconds",
    help: "Time from an event in a journal to the event streams of this process.",
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [this.#registry],
  });
  readonly #streams = this.#gauge("baton_event_streams", "Open event streams of this process.");
  readonly #driven = this.#gauge("baton_runs_driven", "Runs that this process drives.");
  readonly #runs = this.#gauge("baton_active_runs", "Active runs of the installation.", ["status"]);
  readonly #overdue = this.#gauge(
    "baton_run_overdue_seconds",
    "How long the most overdue run has waited for its wake-up.",
  );
  readonly #outbox = this.#gauge("baton_outbox_due", "Writes to GitHub that are due, at most 1,000.");
  readonly #usd = this.#gauge("baton_spent_usd_today", "Settled cost since midnight UTC.", ["harness", "model"]);
  readonly #tokens = this.#gauge("baton_tokens_today", "Tokens since midnight UTC.", ["harness", "model", "kind"]);
  readonly #attempts = this.#gauge("baton_attempts_today", "Settled attempts since midnight UTC.", [
    "harness",
    "model",
  ]);
  readonly #circuits = this.#gauge("baton_circuit_open", "1 while a harness is not tried because it failed.", [
    "harness",
  ]);

  constructor(parts: Pick<ApiParts, "dependencies" | "runner">) {
    this.#parts = parts;
    this.#gauge("baton_info", "1. The version as a label.", ["version"]).set({ version: product.version }, 1);
  }

  answered(route: string, status: number, ms: number): void {
    this.#requests.inc({ route, status: `${status}` });
    this.#seconds.observe({ route }, ms / 1_000);
  }

  /** An event reached the streams of this process. */
  arrived(lagMs: number): void {
    this.#lag.observe(Math.max(0, lagMs) / 1_000);
  }

  /** @internal for tests */
  get names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** Null: there is no such metric. @internal for tests */
  labelsOf(name: string): string[] | null {
    const found = this.#registry.getSingleMetric(name) as { labelNames?: string[] } | undefined;
    return found === undefined ? null : (found.labelNames ?? []);
  }

  async text(streams: number): Promise<{ type: string; text: string }> {
    this.#streams.set(streams);
    this.#driven.set(this.#parts.runner.driving);
    await Promise.all([this.#readRuns(), this.#readMoney(), this.#readCircuits(), this.#readOutbox()]);
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  async #readRuns(): Promise<void> {
    const { store, clock } = this.#parts.dependencies;
    const counts = new Map<string, number>(activeRunStatuses.map((status) => [status, 0]));
    let overdueMs = 0;
    let before: RunRow | undefined;
    for (;;) {
      const rows = await store.runs({ active: true, limit: rowsAtOnce, ...(before === undefined ? {} : { before }) });
      for (const { status, wakeAt } of rows) {
        counts.set(status, (counts.get(status) ?? 0) + 1);
        if (wakeAt !== null) overdueMs = Math.max(overdueMs, clock.now() - wakeAt);
      }
      before = rows.at(-1);
      if (rows.length < rowsAtOnce) break;
    }
    for (const [status, count] of counts) this.#runs.set({ status }, count);
    this.#overdue.set(overdueMs / 1_000);
  }

  async #readMoney(): Promise<void> {
    const { store, clock } = this.#parts.dependencies;
    for (const gauge of [this.#usd, this.#tokens, this.#attempts]) gauge.reset();
    const rows = await store.ledger({ since: dayOf(clock.now(), "UTC").from });
    for (const { kind, harness, model, usd, ...tokens } of rows) {
      if (kind !== "settle" || harness === "") continue;
      this.#usd.inc({ harness, model }, usd);
      this.#attempts.inc({ harness, model });
      for (const name of ["input", "output", "cacheRead", "cacheWrite"] as const)
        this.#tokens.inc({ harness, model, kind: name }, tokens[name]);
    }
  }

  async #readCircuits(): Promise<void> {
    const { store, clock, harnesses } = this.#parts.dependencies;
    for (const harness of harnesses.keys()) {
      const circuit = await circuitOf(store, circuitKey(harness, null));
      this.#circuits.set({ harness }, circuit !== null && circuitState(circuit, clock.now()) === "open" ? 1 : 0);
    }
  }

  async #readOutbox(): Promise<void> {
    const { store, clock } = this.#parts.dependencies;
    this.#outbox.set((await store.outboxDue(clock.now(), rowsAtOnce)).length);
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
