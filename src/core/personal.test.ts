import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alice, bob } from "../../test/fakes/run-world.ts";
import { erasedRow, openEvents, type SealedEvent, sealEvents } from "./chain.ts";
import { compactJournal, eraseCompacted, openCompacted } from "./compact.ts";
import { type RunEvent, runEventSchema } from "./event.ts";
import { fold } from "./fold.ts";
import { deletedText, personalPointers } from "./personal.ts";
import type { EffectKey, Json, RunId } from "./vocabulary.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const stream = "run_0123456789abcdef" as RunId;
const key = "implement" as EffectKey;
const sha = "a".repeat(40);
const secret = "Ask Erika Mustermann, +49 170 000";
const harness = { harness: "codex", model: "m", tokens: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 } };
const usage = [{ ...harness, costUsd: 0.5, priceSource: "table" as const, priceTableVersion: "1" }];
const verdict = (reason: string) => ({
  name: "review",
  status: "passed" as const,
  reason,
  evidence: [{ label: "said", value: reason, url: reason }],
  children: [{ name: reason, status: "failed" as const, reason, evidence: [], children: [] }],
});

/** Every kind of event with a covered field, with `text` in each of these fields. */
const eventsWith = (text: string): RunEvent[] => [
  {
    type: "run.created",
    runId: stream,
    process: { name: "issue-to-pr", version: 2, stages: ["plan"] },
    input: { title: text, baseSha: sha, list: [text, 3, true, null] },
    thread: {
      repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
      number: 12,
      kind: "issue",
    },
    requestedBy: { ...alice, login: text },
    trigger: { operationKey: "comment:99", commentId: 99, text },
    budgetUsd: 5,
    settings: { executor: "app" },
    settingsSha: null,
    parent: null,
    retryOf: null,
  },
  {
    type: "effect.requested",
    key,
    kind: "agent",
    input: { title: text, stage: "plan", role: "implement", prompt: { user: text } },
    cause: 1,
    timeoutMs: null,
    retry: { attemptsMax: 3, pauseMs: 1, pauseMaxMs: 1 },
    hints: {},
  },
  { type: "effect.started", key, attempt: 1, worker: "w", reservedUsd: 1 },
  {
    type: "effect.progress",
    key,
    attempt: 1,
    note: text,
    usage,
    partial: { text, todo: text, lastAction: text, turns: 2 },
  },
  { type: "effect.observed", key, verdict: verdict(text), facts: { who: text, n: 1 } },
  {
    type: "effect.attempt-failed",
    key,
    attempt: 1,
    error: { code: "BATON_INTERNAL", message: text, details: { path: text } },
    usage,
    retryAt: 9,
    kept: {
      headSha: sha,
      sessionId: null,
      harness: "codex",
      partial: { text, todo: text, lastAction: text, turns: 2 },
      sandbox: { missing: null, denied: [], outside: [text] },
    },
  },
  { type: "effect.started", key, attempt: 2, worker: "w", reservedUsd: 1 },
  { type: "effect.succeeded", key, attempt: 2, output: { text, headSha: sha, status: "passed", by: text }, usage },
  { type: "run.paused", by: { ...bob, login: text }, reason: text },
  { type: "run.resumed", by: { ...bob, login: text } },
  { type: "run.priority-changed", by: { ...bob, login: text }, priority: "high", deadline: null },
  { type: "run.budget-raised", by: { ...bob, login: text }, addUsd: 2 },
  {
    type: "policy.decided",
    action: "merge",
    actor: { ...bob, login: text },
    verdict: verdict(text),
    operationKey: null,
  },
  { type: "run.completed", output: { text }, verdict: verdict(text) },
];
const seal = (events: RunEvent[]): SealedEvent[] =>
  sealEvents({ stream, previousHash: "", firstPosition: 1, now: 5, events, sha256, seed: "of this append" });
const erase = (row: SealedEvent): SealedEvent => ({ ...row, ...erasedRow(stream, row, sha256) });

describe("personal texts of a journal", () => {
  it("go with their salts; the chain holds, and the run folds to what happened", () => {
    const whole = seal(eventsWith(secret));
    const erased = whole.map(erase);
    const kept = JSON.stringify(erased.map(({ text, salts, hash }) => ({ text, salts, hash })));
    expect(kept).not.toContain("Erika");
    for (const { salts } of whole) for (const salt of Object.values(salts)) expect(kept).not.toContain(salt as string);
    const state = fold(openEvents(stream, "", erased, sha256));
    const before = fold(openEvents(stream, "", whole, sha256));
    expect(state.erased).toBe(true);
    expect(before.erased).toBe(false);
    expect(state.hash).toBe(before.hash);
    expect({ status: state.status, money: state.money }).toEqual({ status: "completed", money: before.money });
    expect(state.outcome?.verdict).toMatchObject({ status: "passed", reason: deletedText });
    expect(state.requestedBy).toEqual({ id: 0, login: deletedText, kind: "user", permission: "write" });
    expect(state.input).toEqual({ title: deletedText, baseSha: sha, list: [deletedText, 3, true, null] });
    expect(state.effects.get(key)).toMatchObject({
      title: deletedText,
      stage: "plan",
      status: "succeeded",
      output: { text: deletedText, headSha: sha, status: "passed" },
    });
  });

  it("may go from some events only, and a second time changes nothing", () => {
    const whole = seal(eventsWith(secret));
    const mixed = whole.map((row, index) => (index % 2 === 0 ? row : erase(row)));
    expect(openEvents(stream, "", mixed, sha256)).toHaveLength(whole.length);
    expect(whole.map(erase).map(erase)).toEqual(whole.map(erase));
  });

  it("a deleted journal is still checked: its numbers, names, places of texts and what it covers", () => {
    const erased = seal(eventsWith(secret)).map(erase);
    const changed = (index: number, change: (row: SealedEvent) => Partial<SealedEvent>): SealedEvent[] =>
      erased.map((row, at) => (at === index ? { ...row, ...change(row) } : row));
    for (const altered of [
      changed(0, ({ text }) => ({ text: text.replace('"budgetUsd":5', '"budgetUsd":50') })),
      changed(0, ({ text }) => ({ text: text.replace(/deleted:[0-9a-f]{64}/, "Nobody") })),
      changed(0, ({ text }) => ({ text: text.replace(/deleted:([0-9a-f]{8})/, "deleted:00000000") })),
      // Claims that a field was deleted although it cannot be.
      changed(2, ({ salts }) => ({ salts: { ...salts, "/worker": null } })),
      changed(0, () => ({ salts: {} })),
    ])
      expect(() => openEvents(stream, "", altered, sha256)).toThrow(/not what was written/);
  });

  it("a text put back in place of another is found while its salt is there", () => {
    const whole = seal(eventsWith("no"));
    for (const other of ["yes", "", "passed"]) {
      const altered = whole.map((row) => ({ ...row, text: row.text.replaceAll('"no"', JSON.stringify(other)) }));
      expect(() => openEvents(stream, "", altered, sha256)).toThrow(/not what was written/);
    }
  });

  it("equal short texts have hashes that tell nothing: not of each other, not of the text", () => {
    const rows = seal([
      { type: "run.paused", by: alice, reason: "yes" },
      { type: "run.paused", by: alice, reason: "yes" },
    ]).map(erase);
    const digests = rows.map(({ text }) => (JSON.parse(text) as { reason: string }).reason);
    expect(new Set(digests).size).toBe(2);
    for (const digest of digests)
      for (const guess of ["yes", JSON.stringify(["", "/reason", "yes"])]) expect(digest).not.toContain(sha256(guess));
  });

  it("of a compacted journal go, too, and its head stays", () => {
    const compacted = compactJournal(openEvents(stream, "", seal(eventsWith(secret)), sha256), 9, sha256);
    const erased = eraseCompacted(stream, compacted, sha256);
    expect(erased).not.toContain("Erika");
    const events = openCompacted(stream, erased, sha256);
    expect(events.at(-1)?.hash).toBe(openCompacted(stream, compacted, sha256).at(-1)?.hash);
    expect(fold(events)).toMatchObject({ erased: true, status: "completed" });
    expect(eraseCompacted(stream, erased, sha256)).toBe(erased);
  });

  it("any JSON of a process: what is sealed opens, erased it opens, and no text of it is left", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.string({ minLength: 5 }), (value, text) => {
        const events: RunEvent[] = [
          { type: "effect.succeeded", key, attempt: 1, output: { value: value as Json, text }, usage: [] },
        ];
        const [row] = seal(events) as [SealedEvent];
        expect(openEvents(stream, "", [row], sha256)[0]?.event).toEqual(row.event);
        const opened = openEvents(stream, "", [erase(row)], sha256)[0];
        expect((opened?.event as unknown as { output: { text: string } }).output.text).toBe(deletedText);
      }),
    );
  });
});

it("every text of every event is covered, or is on the list of those that are Baton's own", () => {
  const plain = new Set<string>();
  for (const event of eventsWith(secret)) {
    const covered = personalPointers(runEventSchema, event);
    const look = (value: unknown, pointer: string): void => {
      if (covered.some((one) => pointer === one || pointer.startsWith(`${one}/`))) return;
      if (typeof value === "string") plain.add(`${event.type} ${pointer}`);
      else if (typeof value === "object" && value !== null)
        for (const [name, inner] of Object.entries(value)) look(inner, `${pointer}/${name}`);
    };
    look(event, "");
    expect(JSON.stringify(event).includes(secret)).toBe(covered.length > 0);
  }
  const names = [...plain].map((name) => name.replace(/^\S+ /, ""));
  expect(new Set(names.filter((name) => !/^\/(type|key|usage|requestedBy|by|actor|runId)(\/|$)/.test(name)))).toEqual(
    new Set([
      "/process/name",
      "/process/stages/0",
      "/thread/repository/owner",
      "/thread/repository/name",
      "/thread/repository/defaultBranch",
      "/thread/kind",
      "/trigger/operationKey",
      "/settings/executor",
      "/kind",
      "/worker",
      "/verdict/name",
      "/verdict/status",
      "/error/code",
      "/kept/headSha",
      "/kept/harness",
      "/action",
      "/priority",
    ]),
  );
});
