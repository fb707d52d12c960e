/**
 * Loaded into a host before anything else (`--import`). HOST_HOLD=before or =after: the first delivery waits there, around
 * its insert into the store, until SIGUSR2. It says so on standard error. HOST_LIMITS: JSON with other values for some of
 * `limits`.
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { SqlStore } from "../../src/adapters/database/sql-store.ts";
import { limits } from "../../src/core/limits.ts";

const { HOST_HOLD: hold, HOST_LIMITS: given } = process.env;
if (given !== undefined) Object.assign(limits, JSON.parse(given));

async function wait(moment: string): Promise<void> {
  if (hold !== moment) return;
  const released = once(process, "SIGUSR2");
  // A signal alone does not keep a process alive.
  const timer = setInterval(() => {}, 60_000);
  writeSync(2, `holding ${moment}\n`);
  await released;
  clearInterval(timer);
}

const { insertDelivery } = SqlStore.prototype;
SqlStore.prototype.insertDelivery = async function (...delivery) {
  await wait("before");
  const isNew = await insertDelivery.apply(this, delivery);
  await wait("after");
  return isNew;
};
