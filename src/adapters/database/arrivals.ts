/**
 * Deliveries as they arrive: a burst goes into few transactions, and a single one waits for nobody.
 *
 * AR1 Each is answered once it and its job are durable, or refused; one that cannot be kept takes no other along.
 */
import { setImmediate as macrotask } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import type { NewDelivery, NewJob } from "../../ports/store.ts";
import { storeError } from "./store-error.ts";
import type { Tables } from "./tables.ts";

/** What the store asks of the queue, each within the given transaction. */
export interface TransactionalQueue {
  enqueue(transaction: Transaction<Tables>, job: NewJob): Promise<void>;
  enqueueAll(transaction: Transaction<Tables>, jobs: readonly NewJob[]): Promise<void>;
  complete(transaction: Transaction<Tables>, jobId: string): Promise<void>;
}

interface Arrival {
  delivery: NewDelivery;
  job: NewJob;
  resolve(inserted: boolean): void;
  reject(thrown: unknown): void;
}

/** Deliveries in one transaction. */
const arrivalsAtOnce = 32;

export class Arrivals {
  readonly #db: Kysely<Tables>;
  readonly #queue: TransactionalQueue;
  /** Those that came while the transaction of others was under way. */
  readonly #waiting: Arrival[] = [];
  #keeping = false;

  constructor(db: Kysely<Tables>, queue: TransactionalQueue) {
    this.#db = db;
    this.#queue = queue;
  }

  insert(delivery: NewDelivery, job: NewJob): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, job, resolve, reject });
      void this.#work();
    });
  }

  /** One transaction at a time, each with all that came meanwhile: the more come, the less each costs. */
  async #work(): Promise<void> {
    if (this.#keeping) return;
    this.#keeping = true;
    while (this.#waiting.length > 0) {
      // An embedded database never leaves the thread: the sockets are read now, or there is nobody to go together with.
      await macrotask();
      const arrived = this.#waiting.splice(0, arrivalsAtOnce);
      const kept = await this.#keep(arrived).then(
        () => true,
        () => false,
      );
      // One that cannot be kept must not take the others along.
      if (!kept) for (const one of arrived) await this.#keep([one]).catch((thrown) => one.reject(storeError(thrown)));
    }
    this.#keeping = false;
  }

  /** Resolves each of them once all are durable; rejects, with none resolved, when none is. */
  async #keep(arrived: readonly Arrival[]): Promise<void> {
    const keyOf = ({ hook, guid }: { hook: string; guid: string }): string => `${hook} ${guid}`;
    const inserted = await this.#db.transaction().execute(async (transaction) => {
      const rows = await transaction
        .insertInto("deliveries")
        .values(
          arrived.map(({ delivery }) => ({
            hook: delivery.hook,
            guid: delivery.guid,
            event: delivery.event,
            action: delivery.action,
            installation_id: delivery.installationId,
            payload: delivery.payload,
            received_at: delivery.receivedAt,
            state: "received",
            note: null,
          })),
        )
        .onConflict((on) => on.columns(["hook", "guid"]).doNothing())
        .returning(["hook", "guid"])
        .execute();
      // store.S3: of two alike in one transaction the first is the one.
      const fresh = new Set(rows.map(keyOf));
      const news = arrived.filter(({ delivery }) => fresh.delete(keyOf(delivery)));
      await this.#queue.enqueueAll(
        transaction,
        news.map(({ job }) => job),
      );
      return new Set(news);
    });
    for (const one of arrived) one.resolve(inserted.has(one));
  }
}
