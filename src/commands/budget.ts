import { raiseBudget } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const budget: CommandHandler = async (context) => {
  const word = context.command.words[0] ?? "";
  const addUsd = Number(/^\+\$?(\d{1,6}(?:\.\d{1,4})?)$/.exec(word)?.[1]);
  if (!Number.isFinite(addUsd) || addUsd <= 0) throw new BatonError("BATON_COMMAND_INVALID", `"${word}" is not a top-up. Write it as \`/baton budget +2\` or \`+2.50\`, in USD.`);
  await steer(context, (state) => {
    const maxUsd = context.settings.budget.maxUsd;
    if (state.money.budgetUsd + addUsd > maxUsd) {
      throw new BatonError("BATON_POLICY_DENIED", `$${(state.money.budgetUsd + addUsd).toFixed(2)} would be more than \`budget.maxUsd\` allows ($${maxUsd.toFixed(2)}). At most +${Math.max(0, maxUsd - state.money.budgetUsd).toFixed(2)} is left; an owner of \`baton.yaml\` can raise it.`);
    }
    return raiseBudget(state, context.actor, addUsd);
  });
  return null;
};
