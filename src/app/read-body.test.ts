import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type BodyBounds, readBody } from "./read-body.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

function reading(bounds: Partial<BodyBounds>, headers: Record<string, string> = {}) {
  const stream = Object.assign(new PassThrough(), { headers });
  const read = readBody(stream as unknown as IncomingMessage, {
    what: "request",
    bytesMax: 100,
    deadlineMs: 1_000,
    ...bounds,
  });
  const outcome = read.then(
    (body) => body.toString(),
    (thrown: { code: string }) => thrown.code,
  );
  const send = async (text: string): Promise<void> => {
    stream.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { stream, outcome, send };
}

it("a body that is large and comes at its pace takes as long as it needs", async () => {
  const { stream, outcome, send } = reading({ bytesPerSecondMin: 10 });
  for (let sent = 0; sent < 10; sent += 1) {
    await send("0123456789");
    await vi.advanceTimersByTimeAsync(1_000);
  }
  stream.end();
  expect(await outcome).toBe("0123456789".repeat(10));
  expect(vi.getTimerCount()).toBe(0);
});

it.each<[string, Partial<BodyBounds>, string, number]>([
  ["without a pace, at its deadline", {}, "0123456789", 1_000],
  ["that trickles", { bytesPerSecondMin: 10 }, "01234", 1_500],
  ["that stops", { bytesPerSecondMin: 10 }, "0123456789".repeat(4), 5_000],
])("a body %s is refused", async (_, bounds, text, afterMs) => {
  const { outcome, send } = reading(bounds);
  await send(text);
  let over = false;
  void outcome.then(() => (over = true));
  await vi.advanceTimersByTimeAsync(afterMs - 1);
  expect(over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toBe("BATON_PAYLOAD_INVALID");
});

it.each<[string, Record<string, string>, string]>([
  ["says that it is", { "content-length": "101" }, ""],
  ["is, whatever it says", {}, "x".repeat(101)],
])("a body that %s too large is refused before its end", async (_, headers, text) => {
  const { outcome, send } = reading({}, headers);
  if (text !== "") await send(text);
  expect(await outcome).toBe("BATON_PAYLOAD_TOO_LARGE");
  expect(vi.getTimerCount()).toBe(0);
});

it("a sender that goes away is said so", async () => {
  const { stream, outcome } = reading({});
  stream.destroy(new Error("reset"));
  expect(await outcome).toBe("BATON_PAYLOAD_INVALID");
});
