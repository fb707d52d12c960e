import { raiseBudget } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const budget: CommandHandler = async (context) => {
  const addUsd = context.command.positional[0] as number;
  await steer(context, (state) => {
    const maxUsd = context.settings.budget.maxUsd;
    if (state.money.budgetUsd + addUsd > maxUsd) {
      throw new BatonError(
        "BATON_POLICY_DENIED",
        `$${(state.money.budgetUsd + addUsd).toFixed(2)} would be more than \`budget.maxUsd\` allows ($${maxUsd.toFixed(2)}). At most +${Math.max(0, maxUsd - state.money.budgetUsd).toFixed(2)} is left; an owner of \`baton.yaml\` can raise it.`,
      );
    }
    return raiseBudget(state, context.actor, addUsd);
  });
  return null;
};
