/**
 * A worker's end of the effect protocol: proves its identity, sends requests, and repeats them while Baton is away.
 *
 * EC1 Each try has a fresh token of the job, which lives minutes only, and its own timeout. A restarted Baton leaves
 *     connections that never answer.
 * EC2 A worker does not give up an hour's work because a deployment interrupts Baton.
 */
import { z } from "zod";
import { systemClock } from "../adapters/system/clock.ts";
import { BatonError, errorDataSchema, toBatonError } from "../core/errors.ts";
import type { Order } from "../runner/remote/protocol.ts";

export interface JobTokenSource {
  url: string;
  token: string;
}

type Verb = "claim" | "heartbeat" | "result";

/** How long each request is repeated. A heartbeat is not repeated, because the next one follows soon. */
const patienceMs: Record<Verb, number> = { claim: 5 * 60_000, heartbeat: 0, result: 15 * 60_000 };
const answerMs: Record<Verb, number> = { claim: 60_000, heartbeat: 10_000, result: 60_000 };
const tokenMs = 20_000;
/** A large body takes time: this is the slowest rate that Baton accepts. */
const bytesPerSecondMin = 128 * 1024;
const pauseMs = 1_000;
const pauseMsMax = 30_000;

const refusalSchema = z.object({ code: errorDataSchema.shape.code, message: z.string() });

export class EffectClient {
  readonly #base: string;
  readonly #source: JobTokenSource;
  readonly #endpoint: string;

  constructor({ run, effect, attempt, endpoint }: Order, source: JobTokenSource) {
    this.#base = `${endpoint}/api/v1/effects/${encodeURIComponent(run)}/${encodeURIComponent(effect)}/${attempt}`;
    this.#endpoint = endpoint;
    this.#source = source;
  }

  async post(verb: Verb, body: object): Promise<unknown> {
    const text = JSON.stringify(body);
    const givenUpAt = systemClock.now() + patienceMs[verb];
    for (let pause = pauseMs; ; pause = Math.min(2 * pause, pauseMsMax)) {
      try {
        return await this.#post(verb, text);
      } catch (thrown) {
        const error = toBatonError(thrown);
        const comesBack = error.code === "BATON_UNREACHABLE" || error.code === "BATON_GITHUB_UNAVAILABLE";
        if (!comesBack || systemClock.now() + pause > givenUpAt) throw error;
        await systemClock.sleepUntil(systemClock.now() + pause);
      }
    }
  }

  async #post(verb: Verb, text: string): Promise<unknown> {
    const token = await this.#token();
    const response = await fetch(`${this.#base}/${verb}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: text,
      signal: AbortSignal.timeout(answerMs[verb] + Math.ceil((text.length / bytesPerSecondMin) * 1_000)),
    }).catch((cause: unknown) => {
      throw new BatonError("BATON_UNREACHABLE", `${this.#endpoint} does not answer: ${reasonOf(cause)}.`, { cause });
    });
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok) return answer;
    const refusal = refusalSchema.safeParse(answer);
    if (refusal.success && response.status < 500) throw new BatonError(refusal.data.code, refusal.data.message);
    // Something in front of Baton answers this, and a retry would get the same answer.
    if (response.status === 413)
      throw new BatonError(
        "BATON_PAYLOAD_TOO_LARGE",
        `Something before ${this.#endpoint} takes no body of ${text.length} bytes.`,
      );
    throw new BatonError("BATON_UNREACHABLE", `${this.#endpoint} answers ${response.status} to ${verb}.`);
  }

  async #token(): Promise<string> {
    const url = new URL(this.#source.url);
    url.searchParams.set("audience", this.#endpoint);
    const response = await fetch(url, {
      headers: { authorization: `bearer ${this.#source.token}` },
      signal: AbortSignal.timeout(tokenMs),
    }).catch((cause: unknown) => {
      throw new BatonError("BATON_GITHUB_UNAVAILABLE", `The platform gives no job token: ${reasonOf(cause)}.`, {
        cause,
      });
    });
    const answer = z.object({ value: z.string() }).safeParse(await response.json().catch(() => null));
    if (!response.ok || !answer.success)
      throw new BatonError("BATON_GITHUB_UNAVAILABLE", `The platform gives no job token: ${response.status}.`);
    return answer.data.value;
  }
}

/** `fetch failed` says nothing, but its cause does. */
function reasonOf(thrown: unknown): string {
  const { cause } = thrown as { cause?: unknown };
  const inner = cause instanceof Error ? cause : thrown;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}
