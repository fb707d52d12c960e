/**
 * The store with the redactor before every write: one choke point for the App's database and the Action's refs.
 *
 * RS1 Text is redacted before it is hashed. So chains, content hashes and replays see only one text.
 * RS2 A process's requests are kept unchanged: they follow from redacted facts, and a replay compares them.
 * RS3 Ids, keys and hashes contain no secret and stay. Git bundles also stay: the scan before a push reads their
 *     commits.
 */
import type { RunEvent } from "../core/event.ts";
import type { Json } from "../core/vocabulary.ts";
import type { AppendRequest, KeptBlob, NewDelivery, NewJob, Store, TransactionWrites } from "../ports/store.ts";

type Redact = (text: string) => string;

const bundleName = /\/bundle$/;

/** Names of fields, logins and addresses are in every event: each of them is read once. */
const cleanCharactersMax = 200;
const cleanMax = 5_000;

function remembering(redact: Redact): Redact {
  const clean = new Set<string>();
  return (text) => {
    if (text.length > cleanCharactersMax) return redact(text);
    if (clean.has(text)) return text;
    const safe = redact(text);
    if (safe === text) {
      if (clean.size >= cleanMax) clean.clear();
      clean.add(text);
    }
    return safe;
  };
}

export function redactingStore(store: Store, redactText: Redact): Store {
  const redact = remembering(redactText);
  const known = new WeakSet<KeptBlob>();
  const keptBlob = (content: string): KeptBlob => {
    const blob = store.keptBlob(redact(content));
    known.add(blob);
    return blob;
  };
  const redactedValue = (name: string, value: Json): Json => (bundleName.test(name) ? value : deep(value, redact));
  const writes = (given: TransactionWrites): TransactionWrites => ({
    ...given,
    ...(given.blobs === undefined
      ? {}
      : { blobs: given.blobs.map((blob) => (known.has(blob) ? blob : keptBlob(blob.content))) }),
    ...(given.values === undefined
      ? {}
      : { values: given.values.map(({ name, value }) => ({ name, value: redactedValue(name, value) })) }),
    ...(given.ledger === undefined ? {} : { ledger: deep(given.ledger, redact) }),
    ...(given.outbox === undefined
      ? {}
      : { outbox: given.outbox.map((row) => ({ ...row, payload: deep(row.payload, redact) })) }),
  });
  // The turn of a process is decided on these events, so an append must not change them again.
  const redacted = new WeakSet<RunEvent>();
  const guarded: Partial<Store> = {
    journaled: (events) => {
      const kept = store.journaled(events.map((event) => (redacted.has(event) ? event : redactedEvent(event, redact))));
      for (const event of kept) redacted.add(event);
      return kept;
    },
    append: (request: AppendRequest) =>
      store.append({
        ...request,
        events: request.events.map((event) => (redacted.has(event) ? event : redactedEvent(event, redact))),
        ...(request.also === undefined ? {} : { also: writes(request.also) }),
      }),
    write: (given) => store.write(writes(given)),
    insertDelivery: (delivery: NewDelivery, job: NewJob | null) => {
      const note = delivery.note === undefined ? {} : { note: redact(delivery.note) };
      return store.insertDelivery({ ...delivery, payload: redactedPayload(delivery.payload, redact), ...note }, job);
    },
    finishDelivery: (hook, guid, state, note, ...job) => store.finishDelivery(hook, guid, state, redact(note), ...job),
    outboxDone: (key, contentHash, result) => store.outboxDone(key, contentHash, deep(result, redact)),
    outboxRetry: (key, notBefore, error) => store.outboxRetry(key, notBefore, redact(error)),
    outboxFailed: (key, error, contentHash) => store.outboxFailed(key, redact(error), contentHash),
    keptBlob,
    putBlob: (content) => store.putBlob(redact(content)),
    setValue: (name, value) => store.setValue(name, redactedValue(name, value)),
  };
  return new Proxy(store, {
    get(target, name) {
      const own = guarded[name as keyof Store];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** RS2. Texts from the repository's own files also stay: a run continues with exactly these texts. */
function redactedEvent(event: RunEvent, redact: Redact): RunEvent {
  if (event.type === "effect.requested") return event;
  if (event.type !== "run.created") return deep(event, redact);
  return { ...event, input: deep(event.input, redact), trigger: deep(event.trigger, redact) };
}

/** GitHub's JSON stays valid JSON. */
function redactedPayload(payload: string, redact: Redact): string {
  if (redact(payload) === payload) return payload;
  try {
    return JSON.stringify(deep(JSON.parse(payload) as Json, redact));
  } catch {
    return redact(payload);
  }
}

function deep<T>(value: T, redact: Redact): T {
  if (typeof value === "string") return redact(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => deep(one, redact)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [redact(key), deep(one as unknown, redact)]),
  ) as T;
}
