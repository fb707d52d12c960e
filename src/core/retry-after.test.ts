import { expect, it } from "vitest";
import { millisecondsOf, retryAfterOf } from "./retry-after.ts";

it.each([
  ["120", { afterMs: 120_000 }],
  [" 7 ", { afterMs: 7_000 }],
  ["0.5", { afterMs: 500 }],
  ["0", { afterMs: 0 }],
  ["Mon, 30 Nov 2026 12:01:30 GMT", { at: Date.UTC(2026, 10, 30, 12, 1, 30) }],
  ["Wed, 21 Oct 2015 07:28:00 GMT", { at: Date.UTC(2015, 9, 21, 7, 28) }],
  ["-5", null],
  ["1e9", null],
  ["0x10", null],
  ["Infinity", null],
  ["9".repeat(30), null],
  ["soon", null],
  ["Mon, no date at all GMT", null],
  ["2026-11-30T12:00:00Z", null],
  ["", null],
  [undefined, null],
  [["1", "2"], null],
])("retry-after %j is %j", (text, expected) => {
  expect(retryAfterOf(text)).toEqual(expected);
});

it("a number in milliseconds is rounded up", () => {
  expect(millisecondsOf("1500.2", 1)).toBe(1_501);
});
