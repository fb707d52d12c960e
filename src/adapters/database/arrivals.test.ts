import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseTemplate } from "../../../packages/local-github/demo/world.ts";
import type { Database, NewDelivery } from "../../ports/store.ts";
import { silentLog } from "../system/log.ts";
import { openPglite } from "./open.ts";

const delivery = (guid: string, payload = "{}"): NewDelivery => ({
  hook: "1",
  guid,
  event: "issue_comment",
  action: "created",
  installationId: 3,
  payload,
  receivedAt: 1,
});
const insert = (guid: string, payload?: string): Promise<boolean> =>
  database.store.insertDelivery(delivery(guid, payload), { queue: "delivery", data: { guid } });

let database: Database;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "baton-arrivals-"));
  cpSync(join(process.env[databaseTemplate] ?? "", "database"), directory, { recursive: true });
  database = await openPglite({ directory, log: silentLog });
});
afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("deliveries that arrive at once", () => {
  it("S3: each is kept once with one job, however many come and whichever are alike", async () => {
    const guids = Array.from({ length: 100 }, (_, index) => `g${index % 80}`);
    const inserted = await Promise.all(guids.map((guid) => insert(guid)));
    expect(inserted.filter(Boolean)).toHaveLength(80);
    const handed: string[] = [];
    await new Promise<void>((resolve) => {
      void database.queue.work("delivery", 4, async ({ data }) => {
        handed.push((data as { guid: string }).guid);
        if (handed.length === 80) resolve();
      });
    });
    expect(new Set(handed)).toEqual(new Set(guids));
  });

  it("one that the database refuses takes no other along", async () => {
    const results = await Promise.allSettled([insert("first"), insert("a"), insert("b", "\u0000"), insert("c")]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(await database.store.knownGuids(["first", "a", "b", "c"])).toEqual(new Set(["first", "a", "c"]));
    expect(await insert("b")).toBe(true);
  });
});
