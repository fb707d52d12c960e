/**
 * A rule: facts in, one ruling out. It has one file in `rules/` and one line in `rules/index.ts`.
 *
 * Z1 Identity is the numeric id and the permission that GitHub reports now. Names and association labels decide
 *    nothing.
 * Z2 A refusal quotes the rule and says who can.
 * Z3 Everything that is not allowed is denied: the verdict passes only when every rule holds.
 */
import type { Evidence, Verdict } from "../core/vocabulary.ts";

export type Ruling = { answer: "allow" | "ask" | "deny"; because: string };

export interface Rule<Facts> {
  name: string;
  /** The rule's demand, for the documentation. */
  summary: string;
  judge(facts: Facts): Ruling;
}

export const allow = (because: string): Ruling => ({ answer: "allow", because });
export const ask = (because: string): Ruling => ({ answer: "ask", because });
export const deny = (because: string): Ruling => ({ answer: "deny", because });

/** Allowed is `passed`, asked is `pending`, denied is `failed`. */
const statusOf = { allow: "passed", ask: "pending", deny: "failed" } as const;

export interface Question<Facts> {
  name: string;
  rules: readonly Rule<Facts>[];
  facts: Facts;
  /** The sentence when all rules hold. A rule's own child appends its additional text. */
  allowed: string;
  evidence?: Evidence[];
}

/**
 * Every rule is evaluated, so that `/baton why` can show all. A denial outweighs a question. The first of each gives
 * the sentence.
 */
export function judge<Facts>({ name, rules, facts, allowed, evidence = [] }: Question<Facts>): Verdict {
  const children = rules.map((rule): Verdict => {
    const { answer, because } = rule.judge(facts);
    return { name: rule.name, status: statusOf[answer], reason: because, evidence: [], children: [] };
  });
  const decisive =
    children.find(({ status }) => status === "failed") ?? children.find(({ status }) => status === "pending");
  return { name, status: decisive?.status ?? "passed", reason: decisive?.reason ?? allowed, evidence, children };
}
