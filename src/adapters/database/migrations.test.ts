import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, sql } from "kysely";
import { expect, it } from "vitest";
import { migrate, statements } from "./migrations.ts";
import type { Tables } from "./tables.ts";

it("the poll for missed deliveries asks by GUID, and an index answers: also in a database of an earlier Baton", async () => {
  const pglite = await PGlite.create();
  const statements: string[] = [];
  const db = new Kysely<Tables>({
    dialect: new PGliteDialect({ pglite }),
    log: ({ query }) => void statements.push(query.sql),
  });
  try {
    await migrate(db);
    // A start with nothing to migrate sends one query.
    statements.length = 0;
    await migrate(db);
    expect(statements).toHaveLength(1);
    // The state that the previous Baton left.
    await sql`drop index deliveries_guid`.execute(db);
    await sql`alter table ledger drop column person_id, drop column person, drop column process`.execute(db);
    await sql`drop trigger baton_events_told on events`.execute(db);
    await sql`alter table events drop column salts, drop column feed, drop column feed_position`.execute(db);
    await sql`drop table feeds, feed_order, feed_numbered`.execute(db);
    await sql`drop function baton_tell_events, baton_tell_outbox cascade`.execute(db);
    await sql`delete from baton_migrations where name >= '0003-deliveries-by-guid'`.execute(db);
    await migrate(db);
    // PostgreSQL scans a table without rows, unless scans are forbidden.
    await sql`set enable_seqscan = off`.execute(db);
    const { rows } = await sql<
      Record<string, string>
    >`explain select guid from deliveries where guid in ('a', 'b')`.execute(db);
    const plan = rows.flatMap((row) => Object.values(row)).join("\n");
    expect(plan).toMatch(/deliveries_guid/);
  } finally {
    await db.destroy();
  }
});

const adds =
  /^(?:create (?:table|unique index|index|function|trigger) |alter table \w+ (?:add column \w+ [\w ]+(?:not null default .+)?(?:, )?)+$)/;
const forbids = /\badd column \w+ [\w ]+\bnot null(?! default)/;

it.each(Object.entries(statements))("MG1: an older replica works on beside the migration %s", (_, list) => {
  for (const statement of list) {
    expect(statement).toMatch(adds);
    expect(statement).not.toMatch(forbids);
  }
});

it.each([
  "alter table runs drop column process",
  "alter table runs rename column process to definition",
  "alter table runs add column place text not null",
  "alter table runs alter column process set not null",
  "drop index runs_thread",
  "update runs set status = 'x'",
])("MG1: %s is none that only adds", (statement) => {
  expect(adds.test(statement) && !forbids.test(statement)).toBe(false);
});
