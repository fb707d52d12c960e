/** Every suite of `npm run prove`, one line each. */
import { adversary } from "./adversary/suite.ts";
import { budgets } from "./budgets/suite.ts";
import { crash, replicas } from "./crash/suites.ts";
import { days } from "./days.ts";
import { chart } from "./install/chart.ts";
import { image } from "./install/image.ts";
import { install } from "./install/suite.ts";
import { modes } from "./modes.ts";
import { seams } from "./seams.ts";
import { simulation } from "./simulation.ts";
import type { Suite } from "./suite.ts";

export const suites: readonly Suite[] = [
  adversary,
  budgets,
  chart,
  crash,
  days,
  image,
  install,
  modes,
  replicas,
  seams,
  simulation,
];
