/** Counts the statements that connections of this process send to a PostgreSQL server. */
import pg from "pg";

export interface Counts {
  statements: number;
  /** Transactions that wrote, and writing statements outside of one. */
  commits: number;
}

interface Sender {
  query(...given: unknown[]): unknown;
}

const begins = /^\s*(begin|start transaction)\b/i;
const writes =
  /\b(insert into|update|delete from|truncate|create|alter|drop|baton_append|for (no key )?(update|share)|notify)\b/i;

/** A library may bring its own copy of `pg`, so that the class of its clients is another one. */
export function countStatements(Client: { prototype: object } = pg.Client): Counts & Disposable {
  const prototype = Client.prototype as Sender;
  const original = prototype.query;
  /** Connections in a transaction, and whether it wrote. */
  const open = new WeakMap<object, boolean>();
  const counts = {
    statements: 0,
    commits: 0,
    [Symbol.dispose]() {
      prototype.query = original;
    },
  };
  prototype.query = function (this: object, ...given: unknown[]) {
    const [first] = given;
    const text = typeof first === "string" ? first : ((first as { text?: string } | undefined)?.text ?? "");
    for (const statement of text.split(";")) {
      if (statement.trim() === "") continue;
      counts.statements += 1;
      if (begins.test(statement)) open.set(this, false);
      else if (/^\s*commit\b/i.test(statement)) {
        if (open.get(this) === true) counts.commits += 1;
        open.delete(this);
      } else if (/^\s*rollback\s*$/i.test(statement)) open.delete(this);
      else if (writes.test(statement)) {
        if (open.has(this)) open.set(this, true);
        else counts.commits += 1;
      }
    }
    return original.apply(this, given);
  };
  return counts;
}
