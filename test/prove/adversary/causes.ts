/** Every cause, in the order in which they are asked. One file a group in `causes/`, one line here. */
import type { Cause } from "./cause.ts";
import { commandCauses } from "./causes/commands.ts";

export const causes: readonly Cause[] = [...commandCauses];
