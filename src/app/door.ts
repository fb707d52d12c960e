/**
 * The door: every address of Baton, as one handler that any Node server can ask first. It is thin: `deliver.ts`,
 * `effects-api.ts`, `api/serve.ts` and `health.ts` do the work of each address.
 *
 * DR1 A request that is not Baton's stays untouched: the handler returns false, and the server asks the next one.
 * DR2 A closed door refuses new requests with 503 and answers earlier ones. A delivery with an answer of 2xx is kept.
 * DR3 Only a request from this process itself gets the answer to a probe. It reaches neither store nor log.
 */
import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Webhooks } from "@octokit/webhooks";
import { BatonError, errorCatalogue } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Baton } from "../wire.ts";
import { type Api, isApiPath } from "./api/serve.ts";
import type { AppCheck } from "./app-check.ts";
import { deliver } from "./deliver.ts";
import { answerEffects, effectsPath } from "./effects-api.ts";
import { answerHealth, isHealthPath } from "./health.ts";
import { answerTrigger, isTriggerPath } from "./trigger-address.ts";

/** An App that Probot's own page registered has its hook at the root, so the door is there as well. */
export const webhookPath = "/api/github/webhooks";

/** The parts of a Baton that the door needs. */
export type Served = Pick<Baton, "identities" | "claims" | "log" | "database"> & {
  dependencies: Pick<Baton["dependencies"], "store" | "clock">;
};

export interface DoorOptions {
  /** The current secret first. Without a secret, Baton refuses every delivery. */
  secrets: string[];
  /** For `/triggers/<name>`. Without a secret, Baton refuses every request there. */
  triggerSecrets?: readonly string[];
  /** Absent if nobody asks GitHub about the App. */
  check?: Pick<AppCheck, "status"> | null;
  /** Absent: this door has no HTTP API. */
  api?: Api | null;
  /** The whole server is Baton's: a POST to its root is a delivery, whatever it holds. */
  ownsRoot?: boolean;
}

export interface Door {
  /** True: the request was Baton's, and has its answer. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Adds another address for deliveries. */
  addPath(path: string): void;
  /** Sends this server a signed delivery of its own. Throws unless this door answers it. */
  probe(server: Server): Promise<void>;
  /** DR2. Resolves when no request is under way, or after a time limit. */
  close(): Promise<void>;
}

const probeHeader = "x-baton-probe";
const probeMs = 10_000;

export function openDoor(
  baton: Served,
  { secrets, triggerSecrets = [], check = null, api = null, ownsRoot = false }: DoorOptions,
): Door {
  const { store, clock } = baton.dependencies;
  const paths = new Set([webhookPath]);
  const probes = new Set<string>();
  const underWay = new Set<Promise<void>>();
  let isClosed = false;

  const isDelivery = ({ method, headers }: IncomingMessage, path: string): boolean =>
    method === "POST" && (paths.has(path) || (path === "/" && (ownsRoot || headers["x-github-event"] !== undefined)));

  /** null: not Baton's. */
  const answering = (request: IncomingMessage, response: ServerResponse): Promise<void> | null => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    if (isDelivery(request, path)) {
      const nonce = request.headers[probeHeader];
      // DR3
      if (typeof nonce === "string" && probes.delete(nonce)) return answerProbe(request, response);
      if (isClosed) return refuse(response);
      return deliver({ store, clock, log: baton.log, secrets }, request, response);
    }
    if (isTriggerPath(path))
      return isClosed
        ? refuse(response)
        : answerTrigger({ store, clock, log: baton.log, secrets: triggerSecrets }, request, response);
    if (isHealthPath(path)) return answerHealth(baton, check?.status() ?? null, path, response);
    if (path.startsWith(effectsPath)) {
      if (baton.identities === null) return null;
      if (isClosed) return refuse(response);
      return answerEffects({ claims: baton.claims, identities: baton.identities, log: baton.log }, request, response);
    }
    if (api === null || !isApiPath(path)) return null;
    return isClosed ? refuse(response) : api.handle(request, response);
  };

  return {
    async handle(request, response) {
      const answer = answering(request, response);
      if (answer === null) return false;
      underWay.add(answer);
      await answer.finally(() => underWay.delete(answer));
      return true;
    },
    addPath: (path) => void paths.add(path),
    async probe(server) {
      const [secret = ""] = secrets;
      for (const path of paths) {
        const nonce = randomBytes(24).toString("base64url");
        probes.add(nonce);
        await sendProbe(server, { path, nonce, secret }).catch(() => {});
        // The door still holds the nonce, so another handler answered.
        if (probes.delete(nonce))
          throw new BatonError("BATON_DOOR_TAKEN", `Something else than Baton answers deliveries at ${path}.`);
      }
    },
    async close() {
      isClosed = true;
      api?.close();
      const patience = new AbortController();
      await Promise.race([
        Promise.allSettled(underWay),
        pause(limits.requestsEndMs, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
    },
  };
}

async function answerProbe(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  response.writeHead(204, { connection: "close" });
  response.end();
}

async function refuse(response: ServerResponse): Promise<void> {
  const code = "BATON_STOPPING";
  const { httpStatus, remedy } = errorCatalogue[code];
  response.writeHead(httpStatus, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ ok: false, code, message: "Baton stops.", remedy }));
}

/** As GitHub would send it: another handler in Baton's place takes it for a delivery. */
async function sendProbe(
  server: Server,
  { path, nonce, secret }: { path: string; nonce: string; secret: string },
): Promise<void> {
  const body = JSON.stringify({ zen: "Baton asks itself." });
  const headers = {
    "content-type": "application/json",
    "content-length": `${Buffer.byteLength(body)}`,
    "x-github-event": "ping",
    "x-github-delivery": `probe-${nonce}`,
    "x-hub-signature-256": await new Webhooks({ secret: secret === "" ? "-" : secret }).sign(body),
    [probeHeader]: nonce,
  };
  await new Promise<void>((resolve, reject) => {
    const signal = AbortSignal.timeout(probeMs);
    const outgoing = httpRequest({ ...reachable(server), path, method: "POST", headers, agent: false, signal });
    outgoing.once("response", (answer) => {
      answer.resume();
      answer.once("close", () => resolve());
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** The loopback address reaches a server that listens at every address. */
function reachable(server: Server): { host: string; port: number } {
  const { address, port } = server.address() as AddressInfo;
  if (address === "::") return { host: "::1", port };
  return { host: address === "0.0.0.0" ? "127.0.0.1" : address, port };
}
