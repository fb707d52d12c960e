import { ulid } from "ulid";
import type { Random } from "../../ports/clock.ts";

export const systemRandom: Random = {
  ulid: (nowMs) => ulid(nowMs),
  fraction: () => Math.random(),
};
