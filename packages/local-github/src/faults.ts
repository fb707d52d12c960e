/**
 * Faults on demand, each for a number of times: problems of networks, loaded servers and impatient limits.
 * Deterministic: matched in the order of addition, shuffled by a seed.
 */
import type { State } from "./state.ts";

type ApiFaultKind = "drop" | "commit-then-drop" | "status" | "secondary-limit" | "stale-read" | "latency";

interface ApiFault {
  match?: { method?: string; path?: RegExp };
  kind: ApiFaultKind;
  /** How many requests it hits. 1 by default. */
  times?: number;
  /** How many matching requests pass first. */
  after?: number;
  /** For `status`: 503 by default. */
  status?: number;
  /** For `status`: GitHub's words. */
  message?: string;
  /** For `status` 403/429 and `secondary-limit`. */
  retryAfterSeconds?: number;
  /** For `latency`. */
  delayMs?: number;
}

interface WebhookFault {
  match?: { event?: string; action?: string };
  kind: "drop" | "duplicate" | "reorder";
  /** How many deliveries it hits. 1 by default. */
  times?: number;
  /** For `reorder`: how many deliveries are held back before they leave in shuffled order. */
  hold?: number;
  seed?: number;
}

export interface ArmedFault extends ApiFault {
  left: number;
  toPass: number;
  /** The past state for stale reads: the state when the fault was added. */
  past: State | null;
}

interface Addressed {
  event: string;
  action: string | null;
}

export interface WebhookFaults {
  drops(parcel: Addressed): boolean;
  /** The parcels to send now in place of `parcel`: itself, twice, nothing yet, or a shuffled pile. */
  arrange<T extends Addressed>(parcel: T): T[];
  release<T extends Addressed>(): T[];
}

export interface Faults {
  add(fault: ApiFault): void;
  addWebhook(fault: WebhookFault): void;
  clear(): void;
  /** The number of armed hits left, so that a test can require that all were used. */
  readonly left: number;
}

export interface FaultDesk {
  faults: Faults;
  webhooks: WebhookFaults;
  /** Uses up one hit of every fault that matches. The caller applies them. */
  take(request: { method: string; path: string }): ArmedFault[];
}

export function createFaults(present: () => State): FaultDesk {
  let api: ArmedFault[] = [];
  let hooks: (WebhookFault & { left: number })[] = [];
  let held: unknown[] = [];

  function takeHook(parcel: Addressed, kind: WebhookFault["kind"]) {
    const found = hooks.find(
      (fault) =>
        fault.kind === kind &&
        fault.left > 0 &&
        (fault.match?.event ?? parcel.event) === parcel.event &&
        (fault.match?.action ?? parcel.action) === parcel.action,
    );
    if (found !== undefined) found.left -= 1;
    return found;
  }

  const webhooks: WebhookFaults = {
    drops: (parcel) => takeHook(parcel, "drop") !== undefined,
    arrange<T extends Addressed>(parcel: T): T[] {
      const copies = takeHook(parcel, "duplicate") === undefined ? [parcel] : [parcel, parcel];
      const reorder = takeHook(parcel, "reorder");
      if (reorder === undefined) return copies;
      held.push(...copies);
      // The pile leaves when it is full, or when the fault has no hits left.
      if (held.length < (reorder.hold ?? 2) && reorder.left > 0) return [];
      return shuffle(held.splice(0) as T[], reorder.seed ?? 1);
    },
    release<T extends Addressed>(): T[] {
      return held.splice(0) as T[];
    },
  };

  const faults: Faults = {
    add(fault) {
      const past = fault.kind === "stale-read" ? structuredClone(present()) : null;
      api.push({ ...fault, left: fault.times ?? 1, toPass: fault.after ?? 0, past });
    },
    addWebhook(fault) {
      const times = fault.times ?? (fault.kind === "reorder" ? (fault.hold ?? 2) : 1);
      hooks.push({ ...fault, left: times });
    },
    clear() {
      api = [];
      hooks = [];
      held = [];
    },
    get left() {
      return [...api, ...hooks].reduce((sum, fault) => sum + fault.left, 0);
    },
  };

  return {
    faults,
    webhooks,
    take(request) {
      const hits = api.filter((fault) => matches(fault, request));
      const due = hits.filter((fault) => fault.toPass === 0);
      for (const fault of hits) if (fault.toPass > 0) fault.toPass -= 1;
      for (const fault of due) fault.left -= 1;
      return due;
    },
  };
}

function matches(fault: ArmedFault, request: { method: string; path: string }): boolean {
  if (fault.left <= 0) return false;
  if (fault.kind === "stale-read" && request.method !== "GET") return false;
  if (fault.match?.method !== undefined && fault.match.method.toUpperCase() !== request.method) return false;
  return fault.match?.path === undefined || fault.match.path.test(request.path);
}

/** Fisher–Yates over a small linear congruential generator. The same seed gives the same disorder. */
function shuffle<T>(items: T[], seed: number): T[] {
  let x = (seed >>> 0) + 1;
  for (let i = items.length - 1; i > 0; i -= 1) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    const j = x % (i + 1);
    const [a, b] = [items[i], items[j]];
    if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a];
  }
  return items;
}
