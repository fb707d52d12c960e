/**
 * One random schedule of money: runs of one repository, parallel agents, cut answers, deaths of the process, top-ups. It
 * also has searches with fees, attempts with a token limit, and agents that report themselves.
 * The proxy, the meter, admission, the fold and the ledger are real. The service keeps its own bill in micro-dollars.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as macrotask } from "node:timers/promises";
import { startModelProxy } from "../../../src/adapters/model-proxy/proxy.ts";
import { type Settings, settingsSchema } from "../../../src/config/schema.ts";
import { attemptEnded, lostAttempts, neededUsd, raiseBudget } from "../../../src/core/decide.ts";
import { type RunEvent, runEventSchema, type StoredEvent } from "../../../src/core/event.ts";
import { applyEvent, fold } from "../../../src/core/fold.ts";
import type { RunState } from "../../../src/core/state.ts";
import { type EffectKey, type Json, type RunId, usdOf } from "../../../src/core/vocabulary.ts";
import { startAttempt } from "../../../src/money/metering.ts";
import type { ModelGrant, ModelProxy } from "../../../src/ports/model-proxy.ts";
import type { LedgerRow, Store } from "../../../src/ports/store.ts";
import { withDay } from "../../../src/runner/day-budget.ts";
import { ledgerRows } from "../../../src/runner/ledger-rows.ts";
import { AttemptMoney } from "../../../src/runner/perform/attempt-money.ts";
import { Meter } from "../../../src/runner/perform/meter.ts";
import { meterAttempt } from "../../../src/runner/perform/meter-attempt.ts";
import type { Decide } from "../../../src/runner/run-actor.ts";
import { alice } from "../../fakes/run-world.ts";
import { Draw } from "../draw.ts";

/** Guards that the test may switch off, to show that the oracle detects it. */
export type Guard = "reserve" | "growth" | "held" | "clamp" | "day" | "fees" | "tokens" | "reports";

export interface MoneyFault {
  overspentUsd: number;
  uncountedUsd: number;
  /** Other mistakes. */
  wrong: string[];
}

/** USD a million: input, output, read from a cache, written to it. Repeated here, so that the test detects a wrong table. */
const prices = {
  "prove-small": { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
  "prove-large": { input: 4, output: 20, cacheRead: 0.4, cacheWrite: 5 },
} as const;
type ModelName = keyof typeof prices;
/** Micro-dollars for one search, for Anthropic and OpenAI alike. */
const searchMicroUsd = 10_000;

interface Order {
  schedule: number;
  run: number;
  seed: number;
  attempt: string;
}

/** The service's work for a request. */
interface Billed extends Order {
  microUsd: number;
  tokens: number;
}

interface Service {
  proxy: ModelProxy;
  bills: Billed[];
  onRequest: Map<number, () => void>;
  close(): Promise<void>;
}

const longestAnswer = 128_000;

export async function startService(): Promise<Service> {
  const bills: Billed[] = [];
  const onRequest = new Map<number, () => void>();
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing, bills, onRequest).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy = await startModelProxy({
    anthropic: { baseUrl, secret: "prove-key-0123456789", kind: "api-key" },
    openai: { baseUrl, secret: "prove-key-0123456789", kind: "api-key" },
  });
  return {
    proxy,
    bills,
    onRequest,
    async close() {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  bills: Billed[],
  onRequest: Map<number, () => void>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const body = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
  const order = JSON.parse(String(body["metadata"])) as Order;
  const draw = new Draw(order.seed, "service");
  const model = body["model"] as ModelName;
  const price = prices[model];
  const isAnthropic = incoming.url?.startsWith("/v1/messages") === true;
  const limit = Number(body[isAnthropic ? "max_tokens" : "max_output_tokens"] ?? longestAnswer);
  // A token has at least one byte. A part of the prompt is read from a cache or written to it.
  const prompt = Math.max(1, Math.floor(bytes.length * (draw.whole(10, 100) / 100)));
  const cacheRead = draw.flip() ? draw.whole(0, prompt) : 0;
  const cacheWrite = draw.flip() ? draw.whole(0, prompt - cacheRead) : 0;
  const input = prompt - cacheRead - cacheWrite;
  const thinks = !isAnthropic || body["thinking"] !== undefined || body["tools"] !== undefined;
  const wanted = draw.one([0, 10, 500, 4_000, 30_000, longestAnswer]);
  const way = draw.whole(0, 9);
  const streams = way > 5;
  const shown = Math.max(1, Math.min(limit, wanted, draw.whole(0, 200)));
  // Output that it does not hide, it has sent word by word.
  const output = streams && !thinks ? shown : Math.max(1, Math.min(limit, wanted));
  const tool = (body["tools"] as { max_uses?: number }[] | undefined)?.[0];
  const searchesMost = tool === undefined ? 0 : Number(tool.max_uses ?? body["max_tool_calls"] ?? 100);
  const searches = draw.flip() ? draw.whole(0, Math.min(searchesMost, 20)) : searchesMost;
  const bill = (tokens: number): void => {
    const usd =
      input * price.input +
      tokens * price.output +
      cacheRead * price.cacheRead +
      cacheWrite * price.cacheWrite +
      searches * searchMicroUsd;
    bills.push({ ...order, microUsd: Math.floor(usd), tokens: prompt + tokens });
  };
  onRequest.get(order.schedule)?.();
  if (way === 0) return void outgoing.writeHead(draw.one([429, 500, 529])).end("{}");
  const usage = isAnthropic
    ? {
        input_tokens: input,
        output_tokens: output,
        cache_read_input_tokens: cacheRead,
        cache_creation_input_tokens: cacheWrite,
        server_tool_use: { web_search_requests: searches },
      }
    : {
        input_tokens: prompt,
        output_tokens: output,
        input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
      };
  const searched = Array.from({ length: searches }, () => ({ type: "web_search_call", action: { type: "search" } }));
  const json = { "content-type": "application/json" };
  if (way <= 4) {
    bill(output);
    const whole = isAnthropic
      ? { type: "message", model, usage }
      : { object: "response", model, usage, output: searched };
    return void outgoing.writeHead(200, json).end(JSON.stringify(whole));
  }
  const frame = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;
  if (way === 5) {
    // It worked, and the connection broke before a word.
    bill(output);
    return void outgoing.destroy();
  }
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  const said = Math.min(output, shown);
  if (isAnthropic)
    outgoing.write(frame({ type: "message_start", message: { model, usage: { ...usage, output_tokens: 1 } } }));
  else outgoing.write(frame({ type: "response.created", response: { model } }));
  const words = "word".repeat(said);
  if (isAnthropic && thinks)
    outgoing.write(frame({ type: "content_block_start", content_block: { type: "thinking" } }));
  outgoing.write(
    frame(
      isAnthropic
        ? { type: "content_block_delta", delta: { text: words } }
        : { type: "response.output_text.delta", delta: words },
    ),
  );
  if (way <= 7) {
    // Cut in the middle: the service bills the thinking, and nobody saw it.
    bill(thinks ? output : Math.max(1, said));
    await macrotask();
    return void outgoing.destroy();
  }
  bill(output);
  outgoing.end(
    isAnthropic
      ? frame({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: output } })
      : frame({ type: "response.completed", response: { object: "response", model, usage, output: searched } }),
  );
}

const repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const steps = ["one", "two", "three"] as const;
const day0 = Date.UTC(2026, 10, 30, 9);

/** A run's journal, and the state of its current driver. An earlier driver may append nothing more. */
class Run {
  readonly journal: StoredEvent[] = [];
  readonly runId: RunId;
  readonly settings: Settings;
  state: RunState;
  generation = 0;
  /** The possible charge beyond all budgets for agents that report themselves: one reservation each (M4). */
  beyondUsd = 0;
  /** Usage that never reached Baton, because it died. */
  untoldUsd = 0;

  readonly index: number;
  readonly world: World;

  constructor(index: number, world: World, budgetUsd: number, settings: Settings, agents: number) {
    this.index = index;
    this.world = world;
    this.runId = `run_${String(index).padStart(26, "0")}` as RunId;
    this.settings = settings;
    const created: RunEvent = {
      type: "run.created",
      runId: this.runId,
      process: { name: "prove", version: 1, stages: [] },
      input: {},
      thread: { repository, number: index + 1, kind: "issue" },
      requestedBy: { ...alice, id: index + 1, login: `person-${index}` },
      trigger: { operationKey: `prove:${index}`, commentId: null, text: "" },
      budgetUsd,
      settings: settings as unknown as Json,
      settingsSha: null,
      parent: null,
      retryOf: null,
    };
    const requested = steps.slice(0, agents).map(
      (key): RunEvent => ({
        type: "effect.requested",
        key: key as EffectKey,
        kind: "agent",
        input: { title: key },
        cause: 1,
        timeoutMs: null,
        retry: { attemptsMax: 9, pauseMs: 0, pauseMaxMs: 0 },
        hints: {},
      }),
    );
    this.state = fold(this.#stored([created]));
    this.append(requested);
  }

  append(events: RunEvent[]): void {
    const rows = ledgerRows(this.state, events, this.world.now);
    for (const stored of this.#stored(events)) applyEvent(this.state, stored);
    this.world.ledger.push(...rows);
    const { budgetUsd, spentUsd, reservedUsd } = this.state.money;
    if (spentUsd + reservedUsd > budgetUsd + this.beyondUsd + 1e-6)
      this.world.wrong.push(`run ${this.index}: ${spentUsd} spent and ${reservedUsd} set aside of ${budgetUsd}`);
  }

  /** Keeps only the current driver's decisions. */
  change(generation: number) {
    return async (decide: Decide): Promise<RunEvent[]> => {
      await macrotask();
      if (generation !== this.generation) throw new Error("The lease is lost.");
      const decided = decide(this.state);
      const events = Array.isArray(decided) ? decided : decided.events;
      if (events.length > 0) this.append(events);
      return events;
    };
  }

  /** Drops the memory and reads the journal again. */
  die(): void {
    this.generation += 1;
    this.state = fold(structuredClone(this.journal));
  }

  #stored(events: RunEvent[]): StoredEvent[] {
    const stored = events.map((event, at): StoredEvent => {
      const kept = runEventSchema.parse(JSON.parse(JSON.stringify(event)));
      return {
        stream: this.runId,
        position: this.journal.length + at + 1,
        at: this.world.now,
        schemaVersion: 1,
        event: kept,
        previousHash: "",
        hash: "",
      };
    });
    this.journal.push(...stored);
    return structuredClone(stored);
  }
}

class World {
  now = day0;
  readonly ledger: LedgerRow[] = [];
  readonly wrong: string[] = [];
  readonly #leases = new Set<string>();
  readonly store = {
    ledger: async ({ since = 0 }: { since?: number }) => this.ledger.filter(({ at }) => at >= since),
    acquireLease: async (name: string, owner: string) => {
      if (this.#leases.has(name)) return null;
      this.#leases.add(name);
      return { name, owner, epoch: 1, expiresAt: 0 };
    },
    releaseLease: async ({ name }: { name: string }) => void this.#leases.delete(name),
  } as unknown as Store;
  readonly needs = {
    store: this.store,
    clock: { now: () => this.now, sleepUntil: () => macrotask() } as never,
    owner: "prove",
  };
}

export async function playMoney(
  service: Service,
  seed: number,
  schedule: number,
  off: Guard | null = null,
): Promise<MoneyFault> {
  const draw = new Draw(seed, "money");
  const world = new World();
  const dayUsd = draw.whole(0, 3) === 0 ? draw.whole(2, 150) / 100 : null;
  const settings = settingsSchema.parse({
    budget: { dayUsd, maxUsd: 1_000 },
    limits: {
      attemptUsd: draw.one([0.05, 0.3, 2]),
      attemptTokens: draw.whole(0, 2) === 0 ? draw.one([3_000, 20_000, 100_000]) : null,
    },
    prices,
  });
  const runs = Array.from(
    { length: draw.whole(1, 2) },
    (_, index) =>
      new Run(index, world, draw.one([0.02, 0.05, 0.1, 0.5, 1, 3, 8]), settings, draw.whole(1, steps.length)),
  );
  let untilDeath = draw.flip() ? draw.whole(1, 12) : 0;
  service.onRequest.set(schedule, () => {
    untilDeath -= 1;
    if (untilDeath !== 0) return;
    // The process dies with everything that it drives, in the middle of a request.
    for (const run of runs) run.die();
    for (const grant of grants) void grant.revoke();
    grants.clear();
    untilDeath = draw.flip() ? draw.whole(1, 12) : 0;
  });
  const grants = new Set<ModelGrant>();
  const context: Context = { service, world, schedule, seed, draw, grants, off };
  for (let round = 0; round < 6; round += 1) {
    await Promise.all(runs.map((run) => drive(context, run)));
    const run = draw.one(runs);
    if (draw.flip()) run.append(raiseBudget(run.state, alice, draw.whole(1, 40) / 100));
    else if (draw.whole(0, 2) === 0) world.now += draw.one([3_600_000, 86_400_000]);
  }
  service.onRequest.delete(schedule);
  for (const run of runs) if (off !== "held") run.append(lostAttempts(run.state, () => false, world.now));
  return judge(service, world, runs, schedule, { dayUsd, tokensMax: settings.limits.attemptTokens });
}

function judge(
  service: Service,
  world: World,
  runs: readonly Run[],
  schedule: number,
  { dayUsd, tokensMax }: { dayUsd: number | null; tokensMax: number | null },
): MoneyFault {
  let overspentUsd = 0;
  let uncountedUsd = 0;
  let allUsd = 0;
  for (const run of runs) {
    const bills = service.bills.filter((bill) => bill.schedule === schedule && bill.run === run.index);
    const billedUsd = bills.reduce((sum, { microUsd }) => sum + microUsd, 0) / 1e6;
    allUsd += billedUsd;
    const { spentUsd, budgetUsd, reservedUsd } = run.state.money;
    // Baton charges an agent's own claim although nobody sent a bill.
    overspentUsd += beyond(Math.max(billedUsd - run.untoldUsd, spentUsd), budgetUsd + run.beyondUsd);
    uncountedUsd += beyond(billedUsd, spentUsd + run.untoldUsd);
    if (tokensMax !== null)
      for (const [attempt, tokens] of tokensOf(bills))
        if (tokens > tokensMax) world.wrong.push(`run ${run.index} ${attempt}: ${tokens} tokens of ${tokensMax}`);
    if (reservedUsd > 1e-6) world.wrong.push(`run ${run.index}: ${reservedUsd} stays set aside`);
    const settled = world.ledger.filter(({ runId, kind }) => runId === run.runId && kind === "settle");
    const ledgerUsd = settled.reduce((sum, { usd }) => sum + usd, 0);
    if (Math.abs(ledgerUsd - spentUsd) > 1e-6)
      world.wrong.push(`run ${run.index}: ledger ${ledgerUsd}, journal ${spentUsd}`);
    const again = fold(structuredClone(run.journal)).money;
    if (Math.abs(again.spentUsd - spentUsd) > 1e-9)
      world.wrong.push(`run ${run.index}: another fold has ${again.spentUsd}`);
  }
  const days = Math.floor((world.now - Date.UTC(2026, 10, 30)) / 86_400_000) + 1;
  const beyondUsd = runs.reduce((sum, run) => sum + run.beyondUsd + run.untoldUsd, 0);
  if (dayUsd !== null) overspentUsd += beyond(allUsd, dayUsd * days + beyondUsd);
  // Bills of judged schedules are no longer needed.
  for (let index = service.bills.length - 1; index >= 0; index -= 1)
    if (service.bills[index]?.schedule === schedule) service.bills.splice(index, 1);
  return { overspentUsd, uncountedUsd, wrong: world.wrong };
}

function tokensOf(bills: readonly Billed[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { attempt, tokens } of bills) sums.set(attempt, (sums.get(attempt) ?? 0) + tokens);
  return sums;
}

const beyond = (usd: number, limitUsd: number): number => (usd - limitUsd > 2e-6 ? usd - limitUsd : 0);

interface Context {
  service: Service;
  world: World;
  schedule: number;
  seed: number;
  draw: Draw;
  grants: Set<ModelGrant>;
  off: Guard | null;
}

/** As the driver does it: charge lost attempts, start due ones with their money, until nothing changes. */
async function drive(context: Context, run: Run): Promise<void> {
  const { world, off } = context;
  const working = new Map<EffectKey, Promise<void>>();
  for (let turn = 0; turn < 60; turn += 1) {
    const { generation } = run;
    const lost = lostAttempts(run.state, (_, key) => working.has(key), world.now);
    run.append(off === "held" ? lost.map(forgetful) : lost);
    for (const key of run.state.open) {
      const effect = run.state.effects.get(key);
      if (effect === undefined || working.has(key) || effect.status === "running") continue;
      if (effect.status === "stopped" && (effect.retryAt === null || world.now < effect.retryAt)) {
        if (run.state.money.stop !== null) continue;
      }
      const attempt = effect.attempts.length + 1;
      const { budget, limits } = run.settings;
      const started = await withDay(
        world.needs,
        repository.id,
        off === "day" ? { ...budget, dayUsd: null } : budget,
        (day) =>
          run
            .change(generation)((state) =>
              startAttempt(state, {
                key,
                attempt,
                worker: "prove",
                wantUsd: limits.attemptUsd,
                leastUsd: neededUsd(effect.attempts.at(-1)?.error),
                day,
                othersAtWork: working.size > 0,
              }),
            )
            .catch(() => []),
      );
      if (started[0]?.type !== "effect.started") continue;
      const done = perform(context, run, generation, key, attempt)
        .catch(() => {})
        .finally(() => working.delete(key));
      working.set(key, done);
    }
    if (working.size === 0) break;
    await Promise.race(working.values());
  }
  await Promise.all(working.values());
}

/** The guard "held" off: a lost attempt costs only its settled part. */
function forgetful(event: RunEvent): RunEvent {
  if (event.type !== "effect.attempt-failed" && event.type !== "effect.failed" && event.type !== "effect.cancelled")
    return event;
  return { ...event, usage: event.usage.filter(({ reserved }) => reserved !== true) };
}

async function perform(context: Context, run: Run, generation: number, key: EffectKey, attempt: number): Promise<void> {
  const { service, world, schedule, seed, grants, off } = context;
  const change = run.change(generation);
  const reservedUsd = run.state.effects.get(key)?.attempts.at(-1)?.reservedUsd ?? 0;
  const draw = new Draw(seed, `${run.index}/${key}/${attempt}`);
  if (draw.whole(0, 4) === 0) return performReporting(context, run, generation, { key, attempt, reservedUsd, draw });
  const meter = new Meter("claude-code", run.settings, reservedUsd);
  const tell: ConstructorParameters<typeof AttemptMoney>[2] = (metering) =>
    meterAttempt(world.needs, run.state, change, { key, attempt }, metering);
  const money = new AttemptMoney("claude-code", meter, tell);
  const grant = service.proxy.grant({
    priceUsd: (model, tokens) => meter.priceUsd(model, tokens),
    reserve: async (asked) => {
      if (off === "reserve") return asked.wantUsd;
      // The old behavior: alone, it uses the rest of the budget, and nobody hears of it.
      if (off === "growth")
        return run.state.money.budgetUsd - run.state.money.spentUsd >= asked.leastUsd ? asked.wantUsd : null;
      const granted = await money.reserve(
        off === "fees" ? { ...asked, uses: asked.uses.map((use) => ({ ...use, feesUsd: 0 })) } : asked,
      );
      return granted !== null && off === "clamp" ? asked.wantUsd : granted;
    },
    unknownPrice: "stop",
    tokensMax: off === "tokens" ? null : run.settings.limits.attemptTokens,
    requestsMax: null,
    models: null,
    providers: null,
    onUse: (use) => meter.count(off === "fees" ? { ...use, feesUsd: 0 } : use),
    onRefusal: () => {},
  });
  grants.add(grant);
  const requests = draw.whole(0, 4);
  const atOnce = draw.whole(1, 3);
  let history = "";
  for (let index = 0; index < requests; index += 1) {
    if (grant.stopped.aborted || run.generation !== generation) break;
    history += draw.word(draw.whole(1, 400));
    const all = Array.from({ length: draw.whole(1, atOnce) }, () =>
      ask(
        grant,
        draw,
        { schedule, run: run.index, seed: draw.whole(0, 2 ** 31), attempt: `${key}/${attempt}` },
        history,
      ),
    );
    // People and other steps may no longer want it.
    if (draw.whole(0, 30) === 0) {
      await change((state) =>
        state.open.has(key) ? [{ type: "effect.cancelled", key, reason: "no longer wanted", usage: [] }] : [],
      );
      break;
    }
    await Promise.all(all);
  }
  await grant.revoke();
  grants.delete(grant);
  const error = grant.stopReason() ?? { code: "BATON_HARNESS_REFUSED" as const, message: "It ended." };
  const usage = meter.usage();
  await change((state) => attemptEnded(state, key, attempt, { ok: false, error, usage, kept: null }, world.now));
}

interface Reporting {
  key: EffectKey;
  attempt: number;
  reservedUsd: number;
  draw: Draw;
}

/** An agent that asks its models itself. Baton knows only its reports, which may come in bursts, jump or lie. */
async function performReporting(
  { service, world, schedule, seed, off }: Context,
  run: Run,
  generation: number,
  { key, attempt, reservedUsd, draw }: Reporting,
): Promise<void> {
  const change = run.change(generation);
  const meter = new Meter("command", run.settings, reservedUsd);
  const money = new AttemptMoney("command", meter, (metering) =>
    meterAttempt(world.needs, run.state, change, { key, attempt }, metering),
  );
  run.beyondUsd += reservedUsd;
  const lies = draw.whole(0, 5) === 0;
  let usedUsd = 0;
  for (let left = draw.whole(0, 12); left > 0 && !meter.exceeded.aborted && run.generation === generation; left -= 1) {
    const burst = draw.whole(1, 3);
    for (let one = 0; one < burst; one += 1) {
      // An honest agent uses less than a reservation between two looks of Baton.
      const microUsd = Math.floor((reservedUsd / 4) * draw.whole(0, 100) * 1e4);
      usedUsd += microUsd / 1e6;
      service.bills.push({ schedule, run: run.index, seed, attempt: `${key}/${attempt}`, microUsd, tokens: 0 });
      const costUsd = lies ? draw.one([usedUsd, 1_000 * usedUsd + 1, 1e300]) : usedUsd;
      meter.take({
        type: "usage",
        model: "own",
        tokens: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
        costUsd,
      });
      if (off !== "reports") money.reported();
    }
    await money.told();
  }
  await money.told();
  const error = { code: "BATON_HARNESS_REFUSED" as const, message: "It ended." };
  const usage = meter.usage();
  await change((state) => attemptEnded(state, key, attempt, { ok: false, error, usage, kept: null }, world.now)).catch(
    () => {
      const told = run.state.effects.get(key)?.attempts.find((one) => one.attempt === attempt)?.usage ?? [];
      run.untoldUsd += Math.max(0, usedUsd - usdOf(told));
    },
  );
}

/** A question of an agent, which may hang up. */
async function ask(grant: ModelGrant, draw: Draw, order: Order, history: string): Promise<void> {
  const model = draw.one(Object.keys(prices) as ModelName[]);
  const limit = draw.one([null, 100, 2_000, 32_000]);
  const metadata = JSON.stringify(order);
  const isAnthropic = draw.flip();
  const access = isAnthropic ? grant.models.anthropic : grant.models.openai;
  const thinking = draw.flip() ? { thinking: { type: "adaptive" } } : {};
  const body = isAnthropic
    ? {
        metadata,
        model,
        stream: true,
        max_tokens: limit ?? 64_000,
        messages: [{ role: "user", content: history }],
        ...thinking,
      }
    : { metadata, model, stream: true, input: history, ...(limit === null ? {} : { max_output_tokens: limit }) };
  if (draw.whole(0, 5) === 0)
    Object.assign(
      body,
      isAnthropic
        ? { tools: [{ type: "web_search_20250305", name: "web_search", ...(draw.flip() ? { max_uses: 30 } : {}) }] }
        : { tools: [{ type: "web_search" }], ...(draw.flip() ? { max_tool_calls: 30 } : {}) },
    );
  const hangsUp = draw.whole(0, 6) === 0;
  const stop = new AbortController();
  try {
    const response = await fetch(`${access?.baseUrl}${isAnthropic ? "/v1/messages" : "/responses"}`, {
      method: "POST",
      headers: { authorization: `Bearer ${access?.key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    if (hangsUp) {
      await response.body?.getReader().read();
      stop.abort();
    } else await response.text();
  } catch {
    // The connection was cut, by either side.
  }
}
