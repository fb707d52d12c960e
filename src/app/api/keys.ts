/**
 * `Idempotency-Key`s of clients: nothing happens twice.
 *
 * IK1 A key belongs to one client and one request. Another request with it is BATON_KEY_REUSED.
 * IK2 A key becomes the operation key of what happens, which the journal knows. So a repetition changes nothing, whatever
 *     happened to the first answer. This memory only finds the misuse of a key, and repetitions without a journal.
 */
import { z } from "zod";
import { sha256 } from "../../adapters/system/sha256.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { defineValues, readValue } from "../../ports/values.ts";
import { changeValue } from "../../runner/change-value.ts";
import type { TokenPlace } from "./tokens.ts";

const keyPattern = /^[\x21-\x7e]{1,200}$/;
/** Fingerprints of done requests by the hash of their key, oldest first. */
const done = defineValues("api-keys:", z.record(z.string(), z.string()));

/** Requests that are being carried out here, by operation key. */
const turns = new Map<string, Promise<unknown>>();

export interface Keyed {
  operationKey: string;
  /** The request was carried out before. */
  isRepeated: boolean;
}

export async function once<T>(
  place: TokenPlace,
  { caller, key, request }: { caller: string; key: string | undefined; request: string },
  act: (keyed: Keyed) => Promise<T>,
): Promise<T> {
  if (key === undefined || !keyPattern.test(key))
    throw new BatonError(
      "BATON_PAYLOAD_INVALID",
      "A request that changes something needs a header `Idempotency-Key` of 1 to 200 visible ASCII characters.",
    );
  const name = sha256(`${caller}\n${key}`).slice(0, 32);
  const operationKey = `api:${name}`;
  const print = sha256(request).slice(0, 32);
  const before = turns.get(operationKey) ?? Promise.resolve();
  const mine = before.then(async () => {
    const kept = (await readValue(place.store, done.at(caller)))?.[name];
    if (kept !== undefined && kept !== print)
      throw new BatonError("BATON_KEY_REUSED", "The `Idempotency-Key` belongs to an earlier, different request.");
    const answer = await act({ operationKey, isRepeated: kept !== undefined });
    if (kept === undefined)
      await changeValue(place, done.at(caller), (all) => ({
        ...Object.fromEntries(Object.entries(all ?? {}).slice(1 - limits.apiKeysMax)),
        [name]: print,
      }));
    return answer;
  });
  const over = mine.catch(() => {});
  turns.set(operationKey, over);
  void over.then(() => {
    if (turns.get(operationKey) === over) turns.delete(operationKey);
  });
  return mine;
}
