/** A model service on loopback whose answers come from the test, and the proxy before it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { startModelProxy } from "../../src/adapters/model-proxy/proxy.ts";
import type { Tokens } from "../../src/core/vocabulary.ts";
import { costOf } from "../../src/money/cost.ts";
import { findPrice } from "../../src/money/prices.ts";
import type { GrantRequest, ModelGrant, ModelProvider, ModelProxy } from "../../src/ports/model-proxy.ts";
import { reserveUpTo } from "./money.ts";

export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

export type Answerer = (request: Received, outgoing: ServerResponse) => unknown;

const serviceSecret = "sk-the-real-key-0123456789";

export const priceUsd = (model: string, tokens: Tokens): number | null => {
  const price = findPrice(model, {})?.price ?? null;
  return price === null ? null : costOf(tokens, price);
};

export interface ModelService {
  proxy: ModelProxy;
  received: Received[];
  answers(next: Answerer): void;
  grant(limitUsd: number, change?: Partial<GrantRequest>): ModelGrant;
  ask(grant: ModelGrant, provider: ModelProvider, path: string, body: object, signal?: AbortSignal): Promise<Response>;
  close(): Promise<void>;
}

export const json = (outgoing: ServerResponse, status: number, body: unknown, headers = {}): void => {
  outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
};

export async function startModelService(): Promise<ModelService> {
  const received: Received[] = [];
  let answerer: Answerer = (_, outgoing) => json(outgoing, 200, {});
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const { method = "", url = "", headers } = incoming;
      const text = Buffer.concat(chunks).toString("utf8");
      const request = { method, url, headers, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
      received.push(request);
      answerer(request, outgoing);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy = await startModelProxy({
    anthropic: { baseUrl: url, secret: serviceSecret, kind: "api-key" },
    openai: { baseUrl: `${url}/v1`, secret: serviceSecret, kind: "api-key" },
    gemini: { baseUrl: url, secret: serviceSecret, kind: "api-key" },
  });
  return {
    proxy,
    received,
    answers(next) {
      answerer = next;
    },
    grant: (limitUsd, change = {}) =>
      proxy.grant({
        priceUsd,
        reserve: reserveUpTo(limitUsd, priceUsd),
        unknownPrice: "stop",
        tokensMax: null,
        requestsMax: null,
        models: null,
        providers: null,
        onUse: () => {},
        onRefusal: () => {},
        ...change,
      }),
    ask(grant, provider, path, body, signal) {
      const access = grant.models[provider];
      return fetch(`${access?.baseUrl}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${access?.key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      });
    },
    async close() {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
