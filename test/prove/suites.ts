/** Every suite of `npm run prove`, one line each. */
import { adversary } from "./adversary/suite.ts";
import { budgets } from "./budgets/suite.ts";
import { crash, replicas } from "./crash/suites.ts";
import { days } from "./days.ts";
import { seams } from "./seams.ts";
import { simulation } from "./simulation.ts";
import type { Suite } from "./suite.ts";

export const suites: readonly Suite[] = [adversary, budgets, crash, days, replicas, seams, simulation];
