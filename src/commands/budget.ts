import { stoppedChildOf } from "../core/child.ts";
import { raiseBudget } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { decide } from "../policy/decide.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const budget: CommandHandler = async (context) => {
  const addUsd = context.command.positional[0] as number;
  await steer(context, (state) => {
    const facts = { budgetUsd: state.money.budgetUsd, addUsd, settings: context.settings };
    const verdict = decide({ action: "budget", facts });
    if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
    return raiseBudget(state, context.actor, addUsd, stoppedChildOf(state));
  });
  return null;
};
