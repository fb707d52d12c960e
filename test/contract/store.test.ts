/** Runs the store contract over every database adapter. */
import { openPglite, openPostgres } from "../../src/adapters/database/open.ts";
import { openMemory } from "../../src/adapters/memory/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { createPostgresDatabase, postgresUrl } from "../fakes/postgres.ts";
import { storeContract } from "./store.ts";

storeContract({ name: "memory", open: async () => openMemory({ clock: systemClock, log: silentLog }) });

storeContract({ name: "PGlite", open: () => openPglite({ directory: null, log: silentLog }) });

let dropDatabase: () => Promise<void> = async () => {};
storeContract({
  name: postgresUrl === undefined ? "PostgreSQL (skipped: no server; set BATON_TEST_DATABASE_URL)" : "PostgreSQL",
  open:
    postgresUrl === undefined
      ? null
      : async () => {
          const { url, drop } = await createPostgresDatabase(postgresUrl as string);
          dropDatabase = drop;
          return openPostgres(url, silentLog);
        },
  dispose: () => dropDatabase(),
});
