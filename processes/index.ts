/** The ready-made processes: one line each. */
import { ProcessRegistry } from "../src/index.ts";
import { addressReviewProcess } from "./address-review/process.ts";
import { issueToPr } from "./issue-to-pr/process.ts";
import { race } from "./race/process.ts";

export function builtInProcesses(): ProcessRegistry {
  return new ProcessRegistry().register(issueToPr).register(addressReviewProcess).register(race);
}
