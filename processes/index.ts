/** The ready-made processes: one line each. */
import { ProcessRegistry } from "../src/index.ts";
import { addressReviewProcess } from "./address-review/process.ts";
import { coordinator } from "./coordinator/process.ts";
import { explore } from "./explore/process.ts";
import { fixCi } from "./fix-ci/process.ts";
import { implement } from "./implement/process.ts";
import { issueToPr } from "./issue-to-pr/process.ts";
import { plan } from "./plan/process.ts";
import { race } from "./race/process.ts";
import { review } from "./review/process.ts";
import { sweep } from "./sweep/process.ts";
import { verify } from "./verify/process.ts";

export function builtInProcesses(): ProcessRegistry {
  return new ProcessRegistry()
    .register(issueToPr)
    .register(addressReviewProcess)
    .register(explore)
    .register(plan)
    .register(implement)
    .register(verify)
    .register(review)
    .register(fixCi)
    .register(coordinator)
    .register(race)
    .register(sweep);
}
