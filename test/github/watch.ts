/**
 * Watches every local GitHub of every test. At the test's end, it compares the traffic with GitHub's own descriptions.
 *
 * `vitest.config.ts` sets it up for all test files, so no test can forget it. Only the first exchange loads the validators,
 * so a test without a GitHub pays nothing.
 */
import { subscribe } from "node:diagnostics_channel";
import { afterAll, afterEach } from "vitest";
import type { Exchange } from "../../packages/local-github/src/exchange.ts";

const shownMax = 40;
/** One for the process: the set-up and a test that imports this module share it. */
const shared = globalThis as { localGithubExchanges?: Exchange[] };
if (shared.localGithubExchanges === undefined) {
  const exchanges: Exchange[] = [];
  shared.localGithubExchanges = exchanges;
  subscribe("local-github.exchange", (message) => {
    exchanges.push(message as Exchange);
  });
}
// For each file, also where files share a process.
afterEach(judge);
afterAll(judge);

/** The number of exchanges that are not judged yet. */
export const watched = (): number => shared.localGithubExchanges?.length ?? 0;

export async function judge(): Promise<void> {
  const exchanges = shared.localGithubExchanges?.splice(0) ?? [];
  if (exchanges.length === 0) return;
  const { mismatches } = await import("./validate.ts");
  const found = [...new Set(exchanges.flatMap(mismatches))];
  if (found.length === 0) return;
  const shown = found.slice(0, shownMax).map((one) => `- ${one}`);
  throw new Error(`This is not what GitHub describes (${found.length}):\n${shown.join("\n")}`);
}
