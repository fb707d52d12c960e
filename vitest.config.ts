import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "processes/**/*.test.ts",
      "test/**/*.test.ts",
      "tools/**/*.test.ts",
      "bench/**/*.test.ts",
      "docs/**/*.test.ts",
    ],
    exclude: ["test/harnesses-real/**", "node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    globalSetup: ["test/database-template.ts"],
    setupFiles: ["./test/github/watch.ts"],
    restoreMocks: true,
    reporters: ["default", "./tools/summary-reporter.ts"],
  },
});
