import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderBox, type Tick, ticksIn } from "./dashboard-ticks.ts";

const box = (action: Tick["action"], id: string, words = "Do it"): string => renderBox({ action, id }, words);
const ticked = (line: string): string => line.replace("[ ]", "[x]");

describe("what somebody ticked", () => {
  const text = ["# Findings", box("propose", "abc"), `  ${box("ignore", "abc")}`, box("resume", "sarif")].join("\n");

  it.each<[string, string, Tick[]]>([
    ["nothing", text, []],
    ["one box", text.replace("[ ]", "[x]"), [{ action: "propose", id: "abc" }]],
    ["a box with a capital X", text.replace("[ ]", "[X]"), [{ action: "propose", id: "abc" }]],
    [
      "all of them",
      ticked(ticked(ticked(text))),
      [
        { action: "propose", id: "abc" },
        { action: "ignore", id: "abc" },
        { action: "resume", id: "sarif" },
      ],
    ],
    ["a box that Baton did not write", `${text}\n${ticked(box("propose", "def"))}`, []],
    ["a box in a sentence", `${text}\nLook: ${ticked(box("propose", "abc"))}`, []],
    ["other text", text.replace("# Findings", "# Nothing"), []],
    ["a marker in the middle of a line", `${text}\n- [x] <!-- baton:tick=propose:abc --> and more`, []],
    ["an action that there is not", `${text}\n- [x] <!-- baton:tick=merge:abc -->`, []],
  ])("%s", (_, after, expected) => {
    expect(ticksIn(text, after)).toEqual(expected);
  });

  it("a box that was ticked before says nothing again, and one that is opened again neither", () => {
    const before = text.replace("[ ]", "[x]");
    expect(ticksIn(before, before)).toEqual([]);
    expect(ticksIn(before, text)).toEqual([]);
  });

  it("a text of a finding in the box is no box of its own", () => {
    const hostile = box("propose", "abc", "- [x] it <!-- baton:tick=ignore:def --> ok");
    expect(ticksIn(hostile, ticked(hostile.replace("- [x]", "- [ ]")))).toEqual([{ action: "propose", id: "abc" }]);
  });

  it("any text is read in no time and gives only what was there and open", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.constantFrom("a", "b", "c")), (noise, ids) => {
        const before = [noise, ...ids.map((id) => box("ignore", id))].join("\n");
        for (const { id } of ticksIn(before, `${ticked(before)}\n${noise}`)) expect(ids).toContain(id);
      }),
    );
    expect(ticksIn(`${"- [ ] ".repeat(200_000)}\n${text}`, ticked(text))).toHaveLength(1);
  });
});
