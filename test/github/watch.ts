/**
 * Watches every local GitHub of every test: what crosses it is held against GitHub's own descriptions at the test's end.
 *
 * Set up for all test files by `vitest.config.ts`, so that no test can forget it. The validators are loaded by the first
 * exchange only: a test without a GitHub pays nothing.
 */
import { subscribe } from "node:diagnostics_channel";
import { afterAll, afterEach } from "vitest";
import type { Exchange } from "../../src/local-github/exchange.ts";

const exchanges: Exchange[] = [];
subscribe("local-github.exchange", (message) => exchanges.push(message as Exchange));

async function judge(): Promise<void> {
  if (exchanges.length === 0) return;
  const { mismatches } = await import("./validate.ts");
  const found = new Set(exchanges.splice(0).flatMap(mismatches));
  if (found.size > 0)
    throw new Error(
      `This is not what GitHub describes:\n${[...found]
        .slice(0, 40)
        .map((one) => `- ${one}`)
        .join("\n")}`,
    );
}

afterEach(judge);
afterAll(judge);
