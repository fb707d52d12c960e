/**
 * Deliveries on arrival. A burst shares a few transactions. A single delivery waits for nothing.
 *
 * AR1 Baton answers each delivery once it and its job are durable, or refused. A delivery that cannot be kept fails
 *     alone.
 */
import { setImmediate as macrotask } from "node:timers/promises";
import type { Kysely, RawBuilder, Transaction } from "kysely";
import type { NewDelivery, NewJob } from "../../ports/store.ts";
import { storable, storeError } from "./store-error.ts";
import type { Tables } from "./tables.ts";

/** The store's calls to the queue, each within the given transaction. */
export interface TransactionalQueue {
  enqueue(transaction: Transaction<Tables>, job: NewJob): Promise<void>;
  enqueueAll(transaction: Transaction<Tables>, jobs: readonly NewJob[]): Promise<void>;
  /** The statement that completes a job. */
  completion(jobId: string): RawBuilder<unknown>;
}

interface Arrival {
  delivery: NewDelivery;
  /** null: the delivery cannot matter. */
  job: NewJob | null;
  resolve(inserted: boolean): void;
  reject(thrown: unknown): void;
}

/** Deliveries in one transaction. */
const arrivalsAtOnce = 32;

export class Arrivals {
  readonly #db: Kysely<Tables>;
  readonly #queue: TransactionalQueue;
  /** Deliveries that arrived during the transaction of others. */
  readonly #waiting: Arrival[] = [];
  #keeping = false;

  constructor(db: Kysely<Tables>, queue: TransactionalQueue) {
    this.#db = db;
    this.#queue = queue;
  }

  insert(delivery: NewDelivery, job: NewJob | null): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, job, resolve, reject });
      void this.#work();
    });
  }

  /** One transaction at a time, with all deliveries that arrived meanwhile. More deliveries cost less each. */
  async #work(): Promise<void> {
    if (this.#keeping) return;
    this.#keeping = true;
    while (this.#waiting.length > 0) {
      // An embedded database never leaves the thread. The sockets must be read here, or no other delivery could join.
      await macrotask();
      const arrived = this.#waiting.splice(0, arrivalsAtOnce);
      const kept = await this.#keep(arrived).then(
        () => true,
        () => false,
      );
      // A delivery that cannot be kept must not fail the others.
      if (!kept) for (const one of arrived) await this.#keep([one]).catch((thrown) => one.reject(storeError(thrown)));
    }
    this.#keeping = false;
  }

  /** Resolves all of them once all are durable. Rejects, and resolves none, when they are not. */
  async #keep(arrived: readonly Arrival[]): Promise<void> {
    const keyOf = ({ hook, guid }: { hook: string; guid: string }): string => `${hook} ${guid}`;
    const inserted = await this.#db.transaction().execute(async (transaction) => {
      const rows = await transaction
        .insertInto("deliveries")
        .values(
          arrived.map(({ delivery, job }) => ({
            hook: delivery.hook,
            guid: delivery.guid,
            event: delivery.event,
            action: delivery.action,
            installation_id: delivery.installationId,
            payload: delivery.payload,
            received_at: delivery.receivedAt,
            state: job === null ? "handled" : "received",
            note: job === null ? storable(delivery.note ?? "") : null,
          })),
        )
        .onConflict((on) => on.columns(["hook", "guid"]).doNothing())
        .returning(["hook", "guid"])
        .execute();
      // store.S3: the first of two equal deliveries in one transaction counts.
      const fresh = new Set(rows.map(keyOf));
      const news = arrived.filter(({ delivery }) => fresh.delete(keyOf(delivery)));
      await this.#queue.enqueueAll(
        transaction,
        news.flatMap(({ job }) => job ?? []),
      );
      return new Set(news);
    });
    for (const one of arrived) one.resolve(inserted.has(one));
  }
}
