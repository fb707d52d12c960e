import { expect, it } from "vitest";
import { Listeners } from "./listeners.ts";

it("one that throws keeps no other from hearing, and what it threw is not lost", () => {
  const heard: string[] = [];
  const listeners = new Listeners();
  listeners.add(() => {
    throw new Error("first");
  });
  listeners.add(({ kind }) => heard.push(kind));
  const remove = listeners.add(() => heard.push("never"));
  remove();
  expect(() => listeners.tell({ kind: "outbox" })).toThrow("first");
  expect(heard).toEqual(["outbox"]);
});
