import { EventEmitter } from "node:events";
import { Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { silentLog } from "../system/log.ts";
import { type Lender, ObjectDoor } from "./object-door.ts";

/** Holds every call until a test makes it fail. */
class HoldingLender extends EventEmitter implements Lender {
  readonly held: ((thrown: Error) => void)[] = [];

  gitDir(): Promise<string> {
    return new Promise((_, reject) => {
      this.held.push(reject);
      this.emit("held");
    });
  }

  async bring(): Promise<void> {}

  async holds(count: number): Promise<void> {
    while (this.held.length < count) await new Promise((resolve) => this.once("held", resolve));
  }
}

let door: ObjectDoor;
beforeEach(() => (door = new ObjectDoor(silentLog)));
afterEach(async () => {
  vi.restoreAllMocks();
  await door.end();
});

const refs = (url: string): Promise<number> =>
  fetch(`${url}/info/refs?service=git-upload-pack`).then(
    ({ status }) => status,
    () => 0,
  );

describe("OD3: requests at once", () => {
  it("of one attempt two are served, the others wait, and more than 32 are sent away", async () => {
    const [first, second] = [new HoldingLender(), new HoldingLender()];
    const { url } = await door.open("a", first);
    const other = await door.open("b", second);
    const all = Array.from({ length: 33 }, () => refs(url));
    expect(await Promise.race(all)).toBe(503);
    // Another attempt does not wait for this one.
    const theirs = refs(other.url);
    await second.holds(1);
    expect(first.held).toHaveLength(2);
    second.held[0]?.(new Error("no"));
    expect(await theirs).toBe(502);
    for (let count = 1; count <= 32; count += 1) {
      await first.holds(count);
      first.held[count - 1]?.(new Error("no"));
    }
    expect((await Promise.all(all)).filter((status) => status === 502)).toHaveLength(32);
  });

  it("of all attempts four are served", async () => {
    const lenders = [new HoldingLender(), new HoldingLender(), new HoldingLender()];
    const doors = await Promise.all(lenders.map((lender, index) => door.open(`${index}`, lender)));
    const all = doors.flatMap(({ url }) => [refs(url), refs(url)]);
    const held = (): number => lenders.reduce((sum, lender) => sum + lender.held.length, 0);
    for (let ended = 0; ended < 6; ended += 1) {
      await vi.waitFor(() => expect(held()).toBe(Math.min(6, ended + 4)), 60_000);
      lenders.flatMap((lender) => lender.held)[ended]?.(new Error("no"));
    }
    expect(await Promise.all(all)).toEqual([502, 502, 502, 502, 502, 502]);
  }, 90_000);
});

it("OD4: what waits or is being sent ends with the address", async () => {
  const lender = new HoldingLender();
  const { url } = await door.open("a", lender);
  const all = [refs(url), refs(url)];
  await lender.holds(2);
  all.push(refs(url));
  door.close("a");
  for (const reject of lender.held) reject(new Error("no"));
  const [first, second, later] = await Promise.all(all);
  expect([first, second]).toEqual([0, 0]);
  // The request may have arrived after the address was gone.
  expect([0, 404]).toContain(later);
  expect(lender.held).toHaveLength(2);
});

it("an address that could not be listened on is tried anew", async () => {
  vi.spyOn(Server.prototype, "listen").mockImplementationOnce(function (this: Server) {
    queueMicrotask(() => this.emit("error", new Error("EMFILE")));
    return this;
  });
  await expect(door.open("a", new HoldingLender())).rejects.toThrow("EMFILE");
  expect((await door.open("a", new HoldingLender())).url).toMatch(/^http:/);
});
