/** The suite that runs real CLIs (`npm run test:harnesses`): installs them first, one file at a time. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/harnesses-real/**/*.test.ts"],
    globalSetup: ["test/harnesses-real/install.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
    // A file may have none for the chosen ones, or where none could be installed.
    passWithNoTests: process.env["BATON_TEST_HARNESSES"] !== undefined,
    reporters: ["default", "./tools/summary-reporter.ts"],
  },
});
