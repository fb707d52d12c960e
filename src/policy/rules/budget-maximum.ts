import { raisedBudget } from "../../money/budget.ts";
import type { BudgetFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

export const budgetMaximum: Rule<BudgetFacts> = {
  name: "budget-maximum",
  summary: "A run is given at most `budget.maxUsd`, top-ups included.",
  judge({ budgetUsd, addUsd, settings }) {
    const raised = raisedBudget({ budgetUsd, addUsd, maxUsd: settings.budget.maxUsd });
    return raised.ok ? allow(`The budget becomes ${raised.budgetUsd.toFixed(2)} USD.`) : deny(raised.reason);
  },
};
