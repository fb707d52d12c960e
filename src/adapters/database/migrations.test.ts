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
    await sql`drop function baton_tell_events, baton_tell_outbox, baton_append cascade`.execute(db);
    await sql`drop index runs_newest, leases_held, ledger_thread`.execute(db);
    await sql`delete from baton_migrations where name >= '0003-deliveries-by-guid'`.execute(db);
    await migrate(db);
    // PostgreSQL scans a table without rows, unless scans are forbidden.
    await sql`set enable_seqscan = off`.execute(db);
    const planOf = async (statement: string): Promise<string> => {
      const { rows } = await sql.raw<Record<string, string>>(`explain ${statement}`).execute(db);
      return rows.flatMap((row) => Object.values(row)).join("\n");
    };
    expect(await planOf("select guid from deliveries where guid in ('a', 'b')")).toMatch(/deliveries_guid/);
    // The other questions that tables of any length must answer at once, as the store asks them.
    const hot: [RegExp, string][] = [
      [/runs_newest/, "select run_id from runs order by created_at desc, run_id desc limit 50"],
      [/leases_held/, "select * from leases where owner != '' and expires_at <= 5"],
      [/ledger_thread/, "select * from ledger where thread_key = '7#1'"],
      [/ledger_repository/, "select * from ledger where repository_id = 7 and at >= 5"],
      [/events_pkey/, "select position, hash from events where stream = 'r' order by position desc limit 1"],
      [/events_feed/, "select * from events where feed = '7#1' and feed_position > 5 order by feed_position limit 5"],
      [
        /outbox_due/,
        "select * from outbox where state = 'pending' and not_before <= 5 order by priority, created limit 5",
      ],
      [/run_watches_pkey/, "select run_id from run_watches where watch = 'sha:1'"],
    ];
    for (const [index, statement] of hot) expect(await planOf(statement), statement).toMatch(index);
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
