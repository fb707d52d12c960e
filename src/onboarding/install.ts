/** How a hosted runner, which has no agent, gets one. */
import { describedHarness } from "../adapters/harness/descriptions.ts";

/** null: a program of the repository's own. */
export function installCommand(harness: string): string | null {
  const npmPackage = describedHarness(harness)?.npmPackage ?? null;
  return npmPackage === null ? null : `npm install --global ${npmPackage}`;
}
