/** The registry: one line a task. */
import { address } from "./address.ts";
import { custom } from "./custom.ts";
import { expect } from "./expect.ts";
import { explore } from "./explore.ts";
import { implement } from "./implement.ts";
import { plan } from "./plan.ts";
import { repair } from "./repair.ts";
import { review } from "./review.ts";
import { secondLook } from "./second-look.ts";
import { split } from "./split.ts";
import { step } from "./step.ts";
import { verify } from "./verify.ts";

export const tasks = {
  plan,
  implement,
  repair,
  address,
  explore,
  review,
  secondLook,
  expect,
  verify,
  split,
  step,
  custom,
};
