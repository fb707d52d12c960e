import type { Generated } from "kysely";

/**
 * Tables of the store as kysely types. Times are milliseconds since the epoch in double precision. They are exact up to
 * the year 287,000.
 */
export interface Tables {
  events: {
    stream: string;
    position: number;
    at: number;
    schema_version: number;
    text: string;
    previous_hash: string;
    hash: string;
    /** JSON. Null: an older Baton wrote the event, or no field of the event may hold personal text. */
    salts: string | null;
    /** Key of the thread, and the place in its feed. Null: an older Baton wrote the event. */
    feed: string | null;
    feed_position: number | null;
  };
  /** The number of entries in a thread's feed. An append locks it until its commit. */
  feeds: { thread_key: string; position: number };
  /** The order of all threads, and the last entry of each thread in it. */
  feed_order: { number: Generated<number>; feed: string; feed_position: number };
  feed_numbered: { thread_key: string; position: number };
  runs: {
    run_id: string;
    thread_key: string;
    process: string;
    status: string;
    position: number;
    created_at: number;
    updated_at: number;
    wake_at: number | null;
  };
  run_watches: { run_id: string; watch: string };
  threads: { thread_key: string; active_run_id: string };
  deliveries: {
    hook: string;
    guid: string;
    event: string;
    action: string | null;
    installation_id: number | null;
    payload: string;
    received_at: number;
    state: string;
    note: string | null;
  };
  outbox: {
    operation_key: string;
    installation_id: number;
    repository_id: number;
    kind: string;
    payload: string;
    content_hash: string;
    priority: number;
    not_before: number;
    run_id: string | null;
    state: string;
    done_hash: string | null;
    result: string;
    tries: number;
    error: string | null;
    created: number;
    put_at: Generated<number>;
  };
  leases: { name: string; owner: string; epoch: number; expires_at: number };
  ledger: {
    id: number;
    run_id: string;
    key: string;
    attempt: number;
    kind: string;
    repository_id: number;
    thread_key: string;
    harness: string;
    model: string;
    input: number;
    output: number;
    cache_read: number;
    cache_write: number;
    usd: number;
    at: number;
    /** Null: an older Baton wrote the row. */
    person_id: number | null;
    person: string | null;
    process: string | null;
  };
  /** `content` is a JSON string. Text of agents may contain NUL, which PostgreSQL does not accept. */
  blobs: { id: string; content: string };
  settings_values: { name: string; value: string };
}
