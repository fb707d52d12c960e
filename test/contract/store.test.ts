/** Runs the store contract over every database adapter. */
import { describe, it } from "vitest";
import { openPglite, openPostgres } from "../../src/adapters/database/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { createPostgresDatabase, postgresUrl } from "../fakes/postgres.ts";
import { storeContract } from "./store.ts";

storeContract({ name: "PGlite", open: () => openPglite({ directory: null, log: silentLog }) });

if (postgresUrl === undefined) {
  describe("store contract on PostgreSQL", () => it.skip("skipped: no server; set BATON_TEST_DATABASE_URL to run it", () => {}));
} else {
  let drop: () => Promise<void> = async () => {};
  storeContract({
    name: "PostgreSQL",
    async open() {
      const created = await createPostgresDatabase(postgresUrl);
      drop = created.drop;
      return openPostgres(created.url, silentLog);
    },
    dispose: () => drop(),
  });
}
