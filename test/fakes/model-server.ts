/**
 * A model on loopback that follows a script, on the wires of coding agents.
 *
 * Owns: the script's order, recording, hanging and cutting connections. Does not own: wire formats
 * (`model-server/<wire>.ts`).
 * A request without tools is a side request of the CLI. It gets a short answer, is recorded, and uses no turn.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { anthropicMessages } from "./model-server/anthropic-messages.ts";
import { geminiGenerateContent } from "./model-server/gemini-generate-content.ts";
import { openaiResponses } from "./model-server/openai-responses.ts";
import type { Answer, ModelRequest, Turn, Wire } from "./model-server/wire.ts";

export type { ModelRequest, Turn } from "./model-server/wire.ts";

const wires: Wire[] = [anthropicMessages, geminiGenerateContent, openaiResponses];

export interface ModelServer {
  url: string;
  /** Requests that used a turn. */
  requests: ModelRequest[];
  sideRequests: ModelRequest[];
  /** Requests with a complete answer. */
  answered: Set<ModelRequest>;
  /** Requests to paths that no wire has. */
  unknown: string[];
  /** The next answers, each to one request. A function decides by the request. After the end: status 400. */
  script(turns: Turn[] | ((request: ModelRequest) => Turn | Promise<Turn>)): void;
  /** Resolves when this many requests have used a turn, since the start. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startModelServer(turns: Turn[] = []): Promise<ModelServer> {
  let next: (request: ModelRequest) => Turn | Promise<Turn> = scriptOf(turns);
  const waiting: { count: number; resolve: () => void }[] = [];
  const requests: ModelRequest[] = [];
  const sideRequests: ModelRequest[] = [];
  const answered = new Set<ModelRequest>();
  const unknown: string[] = [];
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  });

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const path = (incoming.url ?? "/").split("?")[0] ?? "/";
    const method = incoming.method ?? "GET";
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const wire = wires.find((one) => one.matches(method, path));
    if (wire === undefined) {
      unknown.push(`${method} ${path}`);
      outgoing.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"unknown path"}}');
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const request = { wire: wire.name, path, method, headers: incoming.headers, ...wire.read(body, path), body };
    if (request.tools.length === 0) {
      sideRequests.push(request);
      send(outgoing, wire, request, { text: "Yes." });
      return;
    }
    requests.push(request);
    const turn = await next(request);
    for (const one of waiting) if (requests.length >= one.count) one.resolve();
    if ("hang" in turn) return;
    if ("status" in turn) {
      outgoing.writeHead(turn.status, { "content-type": "application/json", ...turn.headers });
      outgoing.end(JSON.stringify(wire.error(turn.status, turn.message ?? `scripted ${turn.status}`)));
      return;
    }
    if ("drop" in turn) {
      const half = wire.events({ text: turn.text ?? "This will be cut" }, request).slice(0, 3);
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write(half.map(frame).join(""), () => incoming.socket.destroy());
      return;
    }
    outgoing.once("finish", () => answered.add(request));
    send(outgoing, wire, request, turn);
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    sideRequests,
    answered,
    unknown,
    script(more) {
      next = typeof more === "function" ? more : scriptOf(more);
    },
    received: (count) =>
      requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push({ count, resolve });
          }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function scriptOf(turns: Turn[]): () => Turn {
  const rest = [...turns];
  return () => {
    const [turn] = rest;
    if (turn === undefined) return { status: 400, message: "The script is at its end." };
    if (turn.forever !== true) rest.shift();
    return turn;
  };
}

const frame = ({ event, data }: { event?: string; data: object | string }): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

function send(outgoing: ServerResponse, wire: Wire, request: ModelRequest, answer: Answer): void {
  if (!request.streaming) {
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end(JSON.stringify(wire.whole(answer, request)));
    return;
  }
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  outgoing.end(wire.events(answer, request).map(frame).join(""));
}
