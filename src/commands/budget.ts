import { raiseBudget } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { decide } from "../policy/decide.ts";
import { stoppedChildOf } from "../summary/child.ts";
import { topUpSchema } from "../thread/grammar.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { steer } from "./steer.ts";

export const budget = defineCommand({
  name: "budget",
  usage: "budget +USD",
  summary: "Top the run's budget up.",
  examples: ["budget +2", "budget +0.50"],
  needs: "run",
  positional: [{ name: "+USD", summary: "How much to add.", required: true, schema: topUpSchema }],
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const addUsd = context.command.positional[0] as number;
  await steer(context, (state) => {
    const facts = { budgetUsd: state.money.budgetUsd, addUsd, settings: context.settings };
    const verdict = decide({ action: "budget", facts });
    if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
    return raiseBudget(state, context.actor, addUsd, stoppedChildOf(state));
  });
  return null;
}
