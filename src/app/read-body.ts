/**
 * A request's body, within bounds of size and time.
 *
 * BD1 Baton refuses a late or too large body while it arrives. The socket stays for the answer.
 */
import type { IncomingMessage } from "node:http";
import { BatonError } from "../core/errors.ts";

export interface BodyBounds {
  /** For messages: `delivery`, `request`. */
  what: string;
  bytesMax: number;
  /** The longest time, from the first read. */
  deadlineMs: number;
  /** A large body may take longer if it comes at this pace: each byte adds time. 0: it may not. */
  bytesPerSecondMin?: number;
}

export async function readBody(
  request: IncomingMessage,
  { what, bytesMax, deadlineMs, bytesPerSecondMin = 0 }: BodyBounds,
): Promise<Buffer> {
  const tooLarge = (): BatonError =>
    new BatonError("BATON_PAYLOAD_TOO_LARGE", `A ${what} has at most ${bytesMax} bytes.`);
  if (Number(request.headers["content-length"]) > bytesMax) throw tooLarge();
  if (request.readableDidRead) {
    const body = bodyReadBefore(request, what);
    if (body.length > bytesMax) throw tooLarge();
    return body;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    let grantedMs = deadlineMs;
    const late = (): void => {
      const earnedMs = deadlineMs + (bytesPerSecondMin === 0 ? 0 : (bytes / bytesPerSecondMin) * 1_000);
      if (earnedMs > grantedMs) {
        timer = setTimeout(late, earnedMs - grantedMs);
        grantedMs = earnedMs;
      } else {
        const pace =
          bytesPerSecondMin === 0 ? "" : `; after that at least ${bytesPerSecondMin} bytes a second must come`;
        fail(
          new BatonError("BATON_PAYLOAD_INVALID", `The ${what}'s body did not arrive within ${deadlineMs} ms${pace}.`),
        );
      }
    };
    let timer = setTimeout(late, deadlineMs);
    // Baton stops reading the request but does not destroy it, because the answer still leaves by its socket.
    const fail = (error: BatonError): void => {
      clearTimeout(timer);
      request.removeAllListeners("data").pause();
      reject(error);
    };
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) fail(tooLarge());
      else chunks.push(chunk);
    });
    request.once("end", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    request.once("error", (cause) =>
      fail(new BatonError("BATON_PAYLOAD_INVALID", `The sender went away within the ${what}'s body.`, { cause })),
    );
  });
}

/** Some hosts read every body themselves, and leave its bytes there. */
function bodyReadBefore(request: IncomingMessage & { rawBody?: unknown }, what: string): Buffer {
  if (Buffer.isBuffer(request.rawBody)) return request.rawBody;
  throw new BatonError(
    "BATON_PAYLOAD_INVALID",
    `Something else read the ${what}'s body first. Mount Baton before whatever parses bodies.`,
  );
}
