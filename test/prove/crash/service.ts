/** The model's service of a fleet: it answers late, and remembers its answers for each attempt. */
import { setTimeout as delay } from "node:timers/promises";
import { costOf } from "../../../src/money/cost.ts";
import { findPrice } from "../../../src/money/prices.ts";
import { type ModelRequest, type ModelServer, startModelServer } from "../../fakes/model-server.ts";
import type { Draw } from "../draw.ts";
import type { AnsweredRequest } from "./oracle.ts";

const answerMsMax = 250;
const outputTokens = 100;

export class ModelService {
  readonly #server: ModelServer;
  readonly #asked = new Map<ModelRequest, AnsweredRequest>();

  private constructor(server: ModelServer) {
    this.#server = server;
  }

  static async start(draw: Draw, onRequest: () => void): Promise<ModelService> {
    const service = new ModelService(await startModelServer());
    let count = 0;
    service.#server.script(async (request) => {
      // No two cost the same, so a charge to the wrong one shows.
      const usage = { input: 1_000 + ++count, output: outputTokens, cacheRead: 0, cacheWrite: 0 };
      service.#note(request, usage);
      onRequest();
      await delay(draw.whole(5, answerMsMax));
      return { text: "Go on.", usage };
    });
    return service;
  }

  get url(): string {
    return this.#server.url;
  }

  answered(): AnsweredRequest[] {
    return [...this.#asked].flatMap(([request, asked]) => (this.#server.answered.has(request) ? [asked] : []));
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #note(request: ModelRequest, tokens: Parameters<typeof costOf>[0]): void {
    const marker = String((request.body["metadata"] as { user_id?: string } | undefined)?.user_id ?? "");
    const [, runId = "", key = "", attempt = "0"] = /\/(run_[^/]+)\/(.+)\/(\d+)$/.exec(marker) ?? [];
    const price = findPrice(request.model, {})?.price ?? null;
    if (price === null) throw new Error(`The model ${request.model} has no price.`);
    this.#asked.set(request, { runId, key, attempt: Number(attempt), usd: costOf(tokens, price) });
  }
}
