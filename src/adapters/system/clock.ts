import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../ports/clock.ts";

/** Node clamps longer timers to 1 ms, so long waits are split into days. */
const timerMsMax = 86_400_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleepUntil(atMs, signal) {
    for (let left = atMs - Date.now(); left > 0; left = atMs - Date.now()) {
      await delay(Math.min(left, timerMsMax), undefined, signal === undefined ? {} : { signal });
    }
    signal?.throwIfAborted();
  },
};
