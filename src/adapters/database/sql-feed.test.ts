/** The connection that listens, with a driver that fails at each step. */
import pg from "pg";
import { afterEach, expect, it, vi } from "vitest";
import { silentLog } from "../system/log.ts";
import { listenOn, SqlFeed } from "./sql-feed.ts";

afterEach(() => vi.restoreAllMocks());

it.each(["connect", "query"] as const)("a try whose `%s` fails leaves no connection open", async (step) => {
  const calls: string[] = [];
  for (const name of ["connect", "query", "end"] as const) {
    const called = async (): Promise<void> => {
      calls.push(name);
      if (name === step) throw new Error(`no ${step}`);
    };
    vi.spyOn(pg.Client.prototype, name).mockImplementation(called as never);
  }
  await expect(listenOn("postgres://nowhere", new SqlFeed({} as never), silentLog)).rejects.toThrow(`no ${step}`);
  expect(calls.at(-1)).toBe("end");
  expect(calls.filter((name) => name === "end")).toHaveLength(1);
});
