import { expect, it } from "vitest";
import { type DeliveryOutcome, noteOf, outcomeOf } from "./outcome.ts";

it.each<DeliveryOutcome>([
  { kind: "ignored", reason: "no command" },
  { kind: "misspelt", reason: 'unknown command "rum"' },
  { kind: "misconfigured", reason: "configuration has errors: 2 in baton.yaml" },
  { kind: "refused", reason: "refused: no" },
  { kind: "done", command: "run" },
  { kind: "facts", woke: 2, configuration: { ok: false, title: "2 errors" }, said: { kind: "done", command: "retry" } },
  { kind: "facts", woke: 0, configuration: null, said: null },
])("$kind is read as it was kept", (outcome) => {
  expect(outcomeOf(noteOf(outcome))).toEqual(outcome);
});

it.each(["did run", "woke 2 run(s)", "", "{", '{"kind":"of a newer Baton"}'])(
  "what is no outcome is a sentence of another Baton: %s",
  (note) => {
    expect(outcomeOf(note)).toEqual({ kind: "ignored", reason: note });
  },
);
