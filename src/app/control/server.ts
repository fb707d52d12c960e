/** The socket of a running Baton, for the command line on the same machine (CS1). */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { BatonError, toBatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import { readBody } from "../read-body.ts";
import { type About, controlAddress, type Operator, operations } from "./protocol.ts";

export interface Control {
  path: string;
  operator: Operator;
  about(): Promise<About>;
  /** Asks Baton to stop in order. Answers at once. */
  stop(): void;
  log: Log;
}

const bodyBytesMax = 64 * 1024;
const bodyMs = 10_000;

/** null: no socket is available. Baton works without it, and reports that. */
export async function openControl(control: Control): Promise<{ close(): Promise<void> } | null> {
  const { path, log } = control;
  const server = createServer((request, response) => {
    void answerOf(control, request)
      .catch((thrown: unknown) => {
        const error = toBatonError(thrown);
        if (error.code === "BATON_INTERNAL") log.error("The command line was not answered", { error });
        return { error: error.toData() };
      })
      .then((answer) => {
        // The answer goes first, because a stop closes this connection.
        if (request.url === "/stop" && !("error" in answer)) response.once("finish", () => control.stop());
        response.writeHead("error" in answer ? 400 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(answer));
      });
  });
  let release = (): void => {};
  try {
    const place = controlAddress(path);
    release = place.release;
    if (await isAnswered(place.address)) throw new Error("another Baton uses this data directory");
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(place.address, () => {
        server.off("error", reject);
        resolve();
      });
    });
    chmodSync(path, 0o600);
  } catch (error) {
    log.warn("The command line cannot ask this Baton: it has no control socket", { path, error });
    server.close();
    release();
    return null;
  }
  return {
    async close() {
      server.closeAllConnections();
      // It also removes the name. A later removal could meet the name of a successor.
      await new Promise<void>((resolve) => server.close(() => resolve()));
      release();
    },
  };
}

async function answerOf(control: Control, request: IncomingMessage): Promise<{ value: unknown } | { error: unknown }> {
  const name = (request.url ?? "").slice(1);
  if (name === "about") return { value: await control.about() };
  if (name === "stop" && request.method === "POST") return { value: true };
  if (!Object.hasOwn(operations, name) || request.method !== "POST")
    throw new BatonError("BATON_INPUT_INVALID", `This Baton has no operation "${name.slice(0, 60)}".`);
  const { takes, run } = operations[name as keyof typeof operations];
  const body = await readBody(request, { what: "request", bytesMax: bodyBytesMax, deadlineMs: bodyMs });
  const given = takes.safeParse(parsed(body));
  if (!given.success)
    throw new BatonError("BATON_INPUT_INVALID", `\`${name}\` does not take this: ${given.error.issues[0]?.message}.`);
  return { value: (await run(control.operator, given.data as never)) ?? null };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}

/** A dead process may have left its socket. The name exists, but nobody listens. */
async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED" && code !== "ENOENT"));
  });
}
