/** Pure folders know no ports, so two places define the shapes of facts. These lines do not compile if the shapes differ. */
import { expectTypeOf, it } from "vitest";
import type { ConfigCheck } from "../src/config/check.ts";
import type { FileChange } from "../src/core/effect.ts";
import type { CheckFact, CheckSuiteFact, FileFact, RequiredCheckFact } from "../src/gate/facts.ts";
import type { ReviewFact } from "../src/policy/review-decision.ts";
import type { CheckFacts, CheckRunContent, CheckSuiteFacts, RequiredCheck, ReviewFacts } from "../src/ports/github.ts";

it("facts of GitHub's port fit the gates and the policy", () => {
  expectTypeOf<CheckFacts>().toExtend<CheckFact>();
  expectTypeOf<CheckSuiteFacts>().toExtend<CheckSuiteFact>();
  expectTypeOf<RequiredCheck>().toExtend<RequiredCheckFact>();
  expectTypeOf<FileChange>().toExtend<FileFact>();
  expectTypeOf<ReviewFacts>().toExtend<ReviewFact>();
  expectTypeOf<ConfigCheck["annotations"]>().toExtend<CheckRunContent["annotations"]>();
  expectTypeOf<ConfigCheck["conclusion"]>().toExtend<CheckRunContent["conclusion"]>();
});
