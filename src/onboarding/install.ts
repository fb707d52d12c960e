/** How a hosted runner without an agent gets one. */
import { describedHarness } from "../adapters/harness/descriptions.ts";

/** null: the harness is a program of the repository. */
export function installCommand(harness: string): string | null {
  const npmPackage = describedHarness(harness)?.npmPackage ?? null;
  return npmPackage === null ? null : `npm install --global ${npmPackage}`;
}
