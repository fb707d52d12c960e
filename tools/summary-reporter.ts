/** The last line of a test run: the numbers of passed, failed and skipped tests. */
import type { Reporter, TestModule } from "vitest/node";

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      const failedBefore = counts.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") counts[state] += 1;
      }
      // A file that failed to load, or whose set-up failed, has no failed test. It still counts as a failure.
      if (!module.ok() && counts.failed === failedBefore) counts.failed += 1;
    }
    const line = `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}\n`;
    // After the default reporter's own summary.
    process.once("exit", () => process.stdout.write(line));
  }
}
