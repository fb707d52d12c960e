/** The registry: one line a task. */
import { address } from "./address.ts";
import { custom } from "./custom.ts";
import { implement } from "./implement.ts";
import { plan } from "./plan.ts";
import { repair } from "./repair.ts";

export const tasks = { plan, implement, repair, address, custom };
