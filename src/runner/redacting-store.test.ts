import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import type { RunEvent } from "../core/event.ts";
import type { Json, RunId } from "../core/vocabulary.ts";
import { createRedactor } from "../text/redact.ts";
import { redactingStore } from "./redacting-store.ts";

const secret = "Kx7+Qm/92vBnLw=Tz0RpYd4sHcJ8aGe";
const runId = "run_0123456789abcdef" as RunId;
const key = "plan" as never;
const usage = [
  {
    harness: "command",
    model: `m ${secret}`,
    tokens: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
    costUsd: 0.01,
    priceSource: "harness",
    priceTableVersion: "1",
  },
];
const error = {
  code: "BATON_HARNESS_CRASHED" as const,
  message: `the key is ${secret}`,
  details: { [secret]: secret },
};
const kept = { headSha: null, sessionId: `s-${secret}`, harness: "command" };

/** Everything that an agent, a runner or a person can add to the journal. Each has the value in another encoding. */
const events: Record<string, RunEvent> = {
  "a failed attempt": { type: "effect.attempt-failed", key, attempt: 1, error, usage, retryAt: 1, kept } as never,
  "a failure": { type: "effect.failed", key, attempt: 1, error, usage, kept } as never,
  "an outcome": {
    type: "effect.succeeded",
    key,
    attempt: 1,
    usage,
    output: { model: Buffer.from(secret).toString("base64"), sessionId: secret, files: [{ path: `x/${secret}` }] },
  } as never,
  "a note": { type: "effect.progress", key, attempt: 1, note: [...secret].join("-"), usage } as never,
  "a decision": {
    type: "policy.decided",
    action: "route",
    actor: null,
    operationKey: null,
    verdict: { name: "x", status: "passed", reason: Buffer.from(secret).toString("hex"), evidence: [], children: [] },
  } as never,
  "a cancellation": { type: "run.cancelled", reason: secret, by: null } as never,
};

function open() {
  const memory = openMemory({ clock: new ManualClock(), log: silentLog });
  const redact = createRedactor({ secrets: [secret] });
  return {
    raw: memory.store,
    store: redactingStore(memory.store, redact),
    clean: (value: unknown): void => {
      const text = JSON.stringify(value);
      // The redactor checks its own result here. Its own tests cover the encodings.
      expect(redact(text)).toBe(text);
      expect(text).toContain("[redacted]");
    },
  };
}

describe("secret-in-journal-and-state-refs", () => {
  it.each(Object.entries(events))("%s is redacted before it is hashed and handed back", async (_, event) => {
    const { raw, store, clean } = open();
    const ledger = [
      {
        runId,
        key: "plan",
        attempt: 1,
        kind: "settle",
        repositoryId: 1,
        threadKey: "1#1",
        harness: "c",
        model: `m ${secret}`,
        input: 1,
        output: 1,
        cacheRead: 0,
        cacheWrite: 0,
        usd: 0,
        at: 0,
      },
    ] as never;
    const stored = await store.append({ runId, expectedPosition: 0, events: [event], now: 1, also: { ledger } });
    // `read` checks the chain.
    const read = await raw.read(runId);
    expect(read).toEqual(stored);
    clean(read);
    clean(await raw.ledger({ runId }));
  });

  it("blobs, values, outbox rows and deliveries too", async () => {
    const { raw, store, clean } = open();
    clean(await raw.blob(await store.putBlob(`transcript ${secret}`)));
    await store.setValue("effect:x/y/1/result", { error, blobs: [secret] } as unknown as Json);
    clean(await raw.value("effect:x/y/1/result"));
    const row = {
      operationKey: "k",
      installationId: 1,
      repositoryId: 1,
      kind: "reply",
      payload: { body: secret },
      contentHash: "h",
      priority: 1,
      notBefore: 0,
      runId: null,
    };
    await store.write({ outbox: [row] });
    await store.outboxRetry("k", 0, `GitHub says ${secret}`);
    clean(await raw.outboxRow("k"));
    const delivery = {
      hook: "1",
      guid: "g",
      event: "issue_comment",
      action: null,
      installationId: 1,
      receivedAt: 0,
      payload: JSON.stringify({ comment: { body: `a "${secret}"` } }),
    };
    await store.insertDelivery(delivery, { queue: "delivery", data: {} });
    const payload = (await raw.delivery("1", "g"))?.payload ?? "";
    clean(JSON.parse(payload));
  });

  it("requests of a process, keys and bundles stay byte for byte", async () => {
    const { raw, store } = open();
    const requested = {
      type: "effect.requested",
      key,
      kind: "sleep",
      input: { title: `wait ${secret}`, until: 5 },
      cause: 0,
      timeoutMs: null,
      retry: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
      hints: {},
    } as never as RunEvent;
    await store.append({ runId, expectedPosition: 0, events: [requested], now: 1 });
    expect((await raw.read(runId))[0]?.event).toMatchObject({ input: { title: `wait ${secret}` } });
    const bundle = Buffer.from(`# v2 git bundle\n${secret}`).toString("base64");
    await store.setValue("effect:x/y/1/bundle", bundle);
    expect(await raw.value("effect:x/y/1/bundle")).toBe(bundle);
    const sha = "ab12".repeat(10);
    await store.setValue("cursor", { sha, n: 1, none: null });
    expect(await raw.value("cursor")).toEqual({ sha, n: 1, none: null });
  });
});
