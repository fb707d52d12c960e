import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { alive } from "../../test/fakes/alive.ts";
import { hostileTexts, nothings } from "../../test/fakes/hostile.ts";
import { cut } from "./cut.ts";
import { codeSpan, neutralise, neutraliseLine, neutraliseLineWithin, neutraliseWithin } from "./neutralise.ts";

const blocks = [
  ["blocks", neutralise],
  ["one line", neutraliseLine],
] as const;

/** A hostile text with invisible characters between its letters. */
const takenApart = fc
  .tuple(
    fc.constantFrom(...hostileTexts),
    fc.array(fc.tuple(fc.nat(80), fc.constantFrom(...nothings)), { maxLength: 4 }),
  )
  .map(([text, pieces]) =>
    pieces.reduce((whole, [at, piece]) => {
      const place = at % (whole.length + 1);
      return whole.slice(0, place) + piece + whole.slice(place);
    }, text),
  );
const hostile = fc
  .array(fc.oneof(takenApart, fc.constantFrom(...hostileTexts), fc.constantFrom(...nothings, "\n", " ", "x")), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pieces) => pieces.join(""));

describe.each(blocks)("empty-tag-undoes-the-neutraliser: %s", (_, inert) => {
  it("what the corpus does on GitHub is dead, and a second look changes nothing", () => {
    const wrong = hostileTexts.flatMap((text) => {
      const out = inert(text);
      const effects = alive(out);
      return effects.length === 0 && inert(out) === out ? [] : [{ text, out, effects }];
    });
    expect(wrong).toEqual([]);
    expect(hostileTexts.filter((text) => alive(text).length > 0).length).toBeGreaterThan(90);
  });

  it("so it is with nothings at every place, piled up, and in any mixture", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const out = inert(text);
        expect(alive(out)).toEqual([]);
        expect(inert(out)).toBe(out);
      }),
      { numRuns: 250, seed: 9 },
    );
  });

  it("two inert texts make an inert one, whatever stands between", () => {
    fc.assert(
      fc.property(hostile, hostile, fc.constantFrom("", " ", "\n", "\n\n", ": ", "**: "), (a, b, between) => {
        expect(alive(`${inert(a)}${between}${inert(b)}`)).toEqual([]);
      }),
      { numRuns: 250, seed: 9 },
    );
  });
});

describe("empty-tag-undoes-the-neutraliser: bounds", () => {
  it("a cut opens nothing", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 12, max: 60 }), (text, max) => {
        for (const short of [neutraliseWithin(text, max), neutraliseLineWithin(text, max)]) {
          expect(short.length).toBeLessThanOrEqual(max);
          expect(alive(short)).toEqual([]);
        }
      }),
      { numRuns: 250, seed: 9 },
    );
  });

  it("so does a cut through a text of several", () => {
    fc.assert(
      fc.property(
        fc.array(hostile, { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 12, max: 120 }),
        (texts, max) => {
          const short = cut(texts.map(neutralise).join("\n\n"), max);
          expect(short.length).toBeLessThanOrEqual(max);
          expect(alive(short)).toEqual([]);
        },
      ),
      { numRuns: 250, seed: 9 },
    );
  });

  it.each([
    ["tags within tags", "<b".repeat(20_000)],
    ["tags that leave tags", `${"<<b></b>".repeat(5_000)}img src=x>${"b>".repeat(5_000)}`],
    ["quotes", "> ".repeat(30_000)],
    ["brackets", "![".repeat(30_000)],
    ["backticks", "`a``".repeat(20_000)],
    ["keywords", "fixes ".repeat(20_000)],
    ["addresses", "https://a@".repeat(10_000)],
    ["references", "&#64;".repeat(20_000)],
    ["names", `/${"a.".repeat(50_000)}`],
  ])("long text of %s costs little", (_, text) => {
    const before = process.cpuUsage();
    const out = neutralise(text);
    expect(neutralise(out)).toBe(out);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(20);
  });

  it("ordinary text is as it was", () => {
    for (const text of [
      "Plain text.",
      "Use `npm install @acme/pkg`, then see https://example.com/@acme/x.",
      "```js\nawait fetch('@x');\n```\n".trimStart(),
      "- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
      "[the guide](https://github.com/acme/shop/blob/main/README.md) and a@b.com",
    ])
      expect(
        neutralise(text)
          .replace(/^\u200b/, "")
          .trim(),
      ).toBe(text.trim());
  });

  it("code that is shown in a span stays in it", () => {
    for (const text of hostileTexts) expect(alive(`a ${codeSpan(text)} b`)).toEqual([]);
  });
});

describe("a thread is written again with each step", () => {
  /** Each reading of a text begins like this. */
  const readings = (work: () => unknown): number => {
    const spy = vi.spyOn(String.prototype, "toWellFormed");
    const before = spy.mock.calls.length;
    work();
    return spy.mock.calls.length - before;
  };

  it("a text that was read is not read again, and as a line it is another one", () => {
    const text = "<b>Decision</b> of @someone, once";
    const first = neutralise(text);
    expect(readings(() => expect(neutralise(text)).toBe(first))).toBe(0);
    expect(readings(() => neutraliseLine(text))).toBe(1);
  });

  it("many other texts are not kept with it", () => {
    const text = "<b>Decision</b> of @someone, for others";
    const first = neutralise(text);
    for (let at = 0; at < 500; at += 1) neutralise(`<i>${at}</i>`);
    expect(readings(() => expect(neutralise(text)).toBe(first))).toBe(1);
  });
});
