import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../core/limits.ts";
import type { HarnessEvent } from "../../ports/harness.ts";
import { Activity } from "./activity.ts";

const text = (words: string): HarnessEvent => ({ type: "text", text: words });
const tool = (name: string, detail = "", state: "started" | "completed" | "failed" = "started"): HarnessEvent => ({
  type: "tool",
  name,
  detail,
  state,
});
const after = (...events: HarnessEvent[]): Activity => {
  const activity = new Activity((said) => said.replaceAll("s3cret", "[hidden]"));
  for (const event of events) activity.take(event);
  return activity;
};

describe("what an attempt leaves", () => {
  it("its words, its last action, its list of things to do, its turns", () => {
    const activity = after(
      text("I look first."),
      tool("TodoWrite", "- [x] look\n- [ ] mend"),
      tool("TodoWrite", "", "completed"),
      text("Now I mend it."),
      tool("edit", "cart.js"),
      tool("edit", "", "completed"),
    );
    expect(activity.partial()).toEqual({
      text: "I look first.\n\nNow I mend it.",
      todo: "- [x] look\n- [ ] mend",
      lastAction: "edit cart.js",
      turns: 2,
    });
  });

  it("a plan that comes with the end of its tool counts too", () => {
    expect(after(tool("plan", "1 of 2: mend", "completed")).partial().todo).toBe("1 of 2: mend");
  });

  it("turns that the proxy saw count where the stream shows fewer", () => {
    const activity = after(text("a"));
    activity.counted(7);
    expect(activity.turns).toBe(7);
  });

  it("secrets in it are hidden", () => {
    const {
      text: said,
      lastAction,
      todo,
    } = after(tool("todo", "say s3cret"), text("it is s3cret"), tool("echo", "s3cret")).partial();
    expect([said, lastAction, todo].join()).not.toContain("s3cret");
  });

  it("AC1: is bounded, whatever streams in, and keeps the end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 3_000 }), { maxLength: 12 }),
        fc.integer({ min: 10, max: 4_000 }),
        (texts, max) => {
          const { text: said, lastAction } = after(...texts.map(text)).partial(max);
          expect(said.length).toBeLessThanOrEqual(Math.min(max, limits.partialTextCharactersMax));
          expect(lastAction.length).toBeLessThanOrEqual(160);
          expect(said).not.toMatch(/^…?[\uDC00-\uDFFF]/);
          const last = texts.map((one) => one.trim()).findLast((one) => one !== "") ?? "";
          expect(said.endsWith(last.slice(-Math.min(5, max - 2)).replace(/^[\uDC00-\uDFFF]/, ""))).toBe(true);
        },
      ),
    );
  });
});
