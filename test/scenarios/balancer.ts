/** One address for GitHub in front of several Batons. Deliveries go to them in turn, past any that does not answer. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { webhookPath } from "../../src/app/door.ts";

export interface Balancer {
  url: string;
  /** The number of deliveries that each address has answered. */
  taken: ReadonlyMap<string, number>;
  close(): void;
}

/** A stopped process accepts a connection and does not answer. */
const answerMsMax = 5_000;

/** `doors`: the current address of each. null: it is not running. */
export async function startBalancer(doors: () => (string | null)[]): Promise<Balancer> {
  const taken = new Map<string, number>();
  let turn = 0;
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      name.startsWith("x-") || name === "content-type" ? [[name, String(value)]] : [],
    );
    for (const _ of doors()) {
      turn += 1;
      const all = doors();
      const url = all[turn % all.length] ?? null;
      if (url === null) continue;
      const body = Buffer.concat(chunks);
      const signal = AbortSignal.timeout(answerMsMax);
      const answer = await fetch(`${url}${webhookPath}`, { method: "POST", body, headers, signal }).catch(() => null);
      if (answer === null) continue;
      taken.set(url, (taken.get(url) ?? 0) + 1);
      response.writeHead(answer.status).end(await answer.text());
      return;
    }
    response.writeHead(502).end();
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
