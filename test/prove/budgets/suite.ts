/** The suite `budgets`: money and approvals, each in random schedules, checked against their promises. */
import { flagOf, type Proof, type ProveOptions, type Suite } from "../suite.ts";
import { type Guard, playMoney, startService } from "./money.ts";
import { playReviews, type ReviewGuard } from "./reviews.ts";

/** In parallel, because they wait for each other's answers, not for the processor. */
const atOnce = 4;

export interface BudgetsResult {
  schedules: number;
  overspentUsd: number;
  unapprovedPasses: number;
  /** Billed by the service, and not in the journal. */
  uncountedUsd: number;
  broken: number[];
}

export const budgets: Suite = {
  name: "budgets",
  summary:
    "In any order of requests, cuts, deaths and top-ups no run overspends; nothing passes without a valid approval.",
  flags: [{ name: "schedules", summary: "schedules of money, and as many of reviews", default: 10_000, min: 1 }],
  async prove(options): Promise<Proof> {
    const result = await playAll(flagOf(options, "schedules"), options);
    const { overspentUsd, unapprovedPasses, uncountedUsd, broken } = result;
    return {
      held: overspentUsd === 0 && unapprovedPasses === 0 && uncountedUsd === 0 && broken.length === 0,
      result: { ...result },
    };
  },
};

export async function playAll(
  schedules: number,
  { seed, say }: Pick<ProveOptions, "seed" | "say">,
  off: { money?: Guard; reviews?: ReviewGuard } = {},
): Promise<BudgetsResult> {
  const result: BudgetsResult = { schedules, overspentUsd: 0, unapprovedPasses: 0, uncountedUsd: 0, broken: [] };
  const service = await startService();
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < schedules; index = next++) {
      // A schedule can be replayed by its own seed.
      const own = (seed + index) >>> 0;
      const fault = await playMoney(service, own, index, off.money ?? null);
      const passes = await playReviews(own, off.reviews ?? null);
      result.overspentUsd += fault.overspentUsd;
      result.uncountedUsd += fault.uncountedUsd;
      result.unapprovedPasses += passes.length;
      const wrong = [...fault.wrong, ...passes];
      if (fault.overspentUsd > 0) wrong.push(`${fault.overspentUsd} USD over the budget`);
      if (fault.uncountedUsd > 0) wrong.push(`${fault.uncountedUsd} USD not counted`);
      if (wrong.length > 0) {
        result.broken.push(own);
        say(`seed ${own}: ${wrong.join("; ")}`);
      }
      done += 1;
      if (done % 500 === 0) say(`${done} of ${schedules} schedules, ${result.broken.length} broken`);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    await service.close();
  }
  return result;
}
