/**
 * Migrations, append-only. A released migration never changes. Baton refuses a database with an unknown migration,
 * because it is newer.
 *
 * MG1 A migration only adds. So the version before it works on, while an upgrade replaces one replica after another.
 */
import { type Kysely, sql } from "kysely";
import { type Migration, type MigrationProvider, Migrator } from "kysely/migration";
import { BatonError } from "../../core/errors.ts";
import type { Tables } from "./tables.ts";

/** @internal */
export const statements: Readonly<Record<string, readonly string[]>> = {
  "0001-first": [
    `create table events (stream text not null, position integer not null, at double precision not null, schema_version integer not null,
       text text not null, previous_hash text not null, hash text not null, primary key (stream, position))`,
    `create table runs (run_id text primary key, thread_key text not null, process text not null, status text not null, position integer not null,
       created_at double precision not null, updated_at double precision not null, wake_at double precision)`,
    `create index runs_thread on runs (thread_key, created_at)`,
    `create index runs_status on runs (status)`,
    `create table run_watches (run_id text not null references runs on delete cascade, watch text not null, primary key (watch, run_id))`,
    `create index run_watches_run on run_watches (run_id)`,
    `create table threads (thread_key text primary key, active_run_id text not null)`,
    `create table deliveries (hook text not null, guid text not null, event text not null, action text, installation_id bigint, payload text not null,
       received_at double precision not null, state text not null default 'received', note text, primary key (hook, guid))`,
    `create table outbox (operation_key text primary key, installation_id double precision not null, repository_id double precision not null, kind text not null,
       payload text not null, content_hash text not null, priority integer not null, not_before double precision not null, run_id text,
       state text not null default 'pending', done_hash text, result text not null default 'null', tries integer not null default 0, error text, created bigserial)`,
    `create index outbox_due on outbox (priority, created) where state = 'pending'`,
    `create table leases (name text primary key, owner text not null, epoch integer not null, expires_at double precision not null)`,
    `create table ledger (id bigserial primary key, run_id text not null, key text not null, attempt integer not null, kind text not null,
       repository_id double precision not null, thread_key text not null, harness text not null, model text not null,
       input double precision not null, output double precision not null, cache_read double precision not null, cache_write double precision not null,
       usd double precision not null, at double precision not null)`,
    `create index ledger_run on ledger (run_id)`,
    `create index ledger_repository on ledger (repository_id, at)`,
    `create table blobs (id text primary key, content text not null)`,
    `create table settings_values (name text primary key, value text not null)`,
  ],
  // When a write was first asked for, so that old ones can be removed.
  "0002-outbox-time": [
    `alter table outbox add column put_at double precision not null default (extract(epoch from now()) * 1000)`,
  ],
  // The poll of GitHub's delivery log asks by GUID alone. The log does not name the hook, which is first in the primary
  // key.
  "0003-deliveries-by-guid": [`create index deliveries_guid on deliveries (guid)`],
  // Sums of money by person.
  "0004-ledger-person": [
    `alter table ledger add column person_id double precision`,
    `alter table ledger add column person text`,
  ],
  // Next to an event, so that its personal texts can be deleted while its hash stays true.
  "0005-event-salts": [`alter table events add column salts text`],
  // A place for each event in the feed of its thread, and notifications of committed changes.
  "0006-feed": [
    `alter table events add column feed text, add column feed_position integer`,
    `create unique index events_feed on events (feed, feed_position) where feed is not null`,
    `create table feeds (thread_key text primary key, position integer not null)`,
    `create function baton_tell_events() returns trigger language plpgsql as $$
     begin
       perform pg_notify('baton_feed', feed || ' ' || stream || ' ' || max(position)::text) from added where feed is not null group by feed, stream;
       return null;
     end $$`,
    `create trigger baton_events_told after insert on events referencing new table as added for each statement execute function baton_tell_events()`,
    `create function baton_tell_outbox() returns trigger language plpgsql as $$
     begin
       perform pg_notify('baton_feed', 'outbox');
       return null;
     end $$`,
    `create trigger baton_outbox_put after insert on outbox for each row when (new.state = 'pending') execute function baton_tell_outbox()`,
    `create trigger baton_outbox_changed after update on outbox for each row
       when (new.state = 'pending' and (old.state <> 'pending' or old.content_hash <> new.content_hash)) execute function baton_tell_outbox()`,
  ],
  // The sum of all sweeps, without the runs.
  "0007-ledger-process": [`alter table ledger add column process text`],
  // One order of all threads. A reader gives the numbers, so that an append costs nothing more.
  "0008-feed-order": [
    `create table feed_order (number bigserial primary key, feed text not null, feed_position integer not null, unique (feed, feed_position))`,
    `create table feed_numbered (thread_key text primary key, position integer not null)`,
  ],
  // One statement for an append and its conditions. The server keeps the plans of its parts. A new column of events or
  // ledger needs a new function of another name, because an older replica still calls this one.
  "0009-append": [
    `create function baton_append(run text, seen integer, seen_hash text, lease json, second_lease json, new_thread text, news json, money json, texts json, kept json,
       out answer text, out counted integer) language plpgsql as $$
     declare
       last record;
       feed_key text;
       told integer;
       added integer := json_array_length(news);
     begin
       counted := 0;
       answer := 'lease';
       if lease is not null then
         perform 1 from leases where name = lease->>'name' and owner = lease->>'owner' and epoch = (lease->>'epoch')::integer for share;
         if not found then return; end if;
       end if;
       answer := 'second lease';
       if second_lease is not null then
         perform 1 from leases where name = second_lease->>'name' and owner = second_lease->>'owner' and epoch = (second_lease->>'epoch')::integer for share;
         if not found then return; end if;
       end if;
       answer := 'position';
       select position, hash into last from events where stream = run order by position desc limit 1;
       if coalesce(last.position, 0) <> seen then return; end if;
       answer := 'count';
       select position, thread_key into counted, feed_key from runs where run_id = run;
       counted := coalesce(counted, 0);
       if counted > seen then return; end if;
       answer := 'hash';
       if coalesce(last.hash, '') <> seen_hash then return; end if;
       answer := 'done';
       if added > 0 then
         insert into feeds (thread_key, position) values (coalesce(new_thread, feed_key, run), added)
           on conflict (thread_key) do update set position = feeds.position + added returning thread_key, position into feed_key, told;
         insert into events (stream, position, at, schema_version, text, previous_hash, hash, salts, feed, feed_position)
           select run, one.position, one.at, one.schema_version, one.text, one.previous_hash, one.hash, one.salts, feed_key, told + one.position - seen - added
           from json_to_recordset(news) as one(position integer, at double precision, schema_version integer, text text, previous_hash text, hash text, salts text);
         update runs set position = seen + added where run_id = run;
       end if;
       if money is not null then
         insert into ledger (run_id, key, attempt, kind, repository_id, thread_key, harness, model, input, output, cache_read, cache_write, usd, at, person_id, person, process)
           select * from json_to_recordset(money) as line(run_id text, key text, attempt integer, kind text, repository_id double precision, thread_key text, harness text, model text,
             input double precision, output double precision, cache_read double precision, cache_write double precision, usd double precision, at double precision,
             person_id double precision, person text, process text);
       end if;
       if texts is not null then
         insert into blobs (id, content) select * from json_to_recordset(texts) as one(id text, content text) order by id on conflict (id) do nothing;
       end if;
       if kept is not null then
         insert into settings_values (name, value) select * from json_to_recordset(kept) as one(name text, value text) order by name
           on conflict (name) do update set value = excluded.value;
       end if;
     end $$`,
  ],
  // Questions that Baton asks often, in tables that only grow.
  "0010-hot-questions": [
    `create index runs_newest on runs (created_at desc, run_id desc)`,
    `create index leases_held on leases (expires_at) where owner <> ''`,
    `create index ledger_thread on ledger (thread_key)`,
  ],
};

const provider: MigrationProvider = {
  async getMigrations() {
    return Object.fromEntries(
      Object.entries(statements).map(([name, list]): [string, Migration] => [
        name,
        {
          async up(db: Kysely<unknown>) {
            for (const statement of list) await sql.raw(statement).execute(db);
          },
        },
      ]),
    );
  },
};

export async function migrate(db: Kysely<Tables>): Promise<void> {
  const known = Object.keys(statements).toSorted();
  const there = await sql<{ name: string }>`select name from baton_migrations`
    .execute(db)
    .then(({ rows }) => rows.map(({ name }) => name).toSorted())
    .catch((): string[] => []);
  const unknown = there.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new BatonError(
      "BATON_DATABASE_NEWER",
      `The database has the migration ${unknown}, which this Baton does not know.`,
    );
  // The migrator reads the whole catalog twice before it finds that there is nothing to do.
  if (known.every((name, index) => there[index] === name)) return;
  const migrator = new Migrator({
    db,
    provider,
    migrationTableName: "baton_migrations",
    migrationLockTableName: "baton_migrations_lock",
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw newerOr(error);
}

function newerOr(thrown: unknown): BatonError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return /corrupted migrations/.test(message)
    ? new BatonError("BATON_DATABASE_NEWER", message, { cause: thrown })
    : new BatonError("BATON_DATABASE_UNAVAILABLE", `The database could not be migrated: ${message}`, { cause: thrown });
}
