/** Signs of results. Each stands next to its word, which screen readers and plain text need. */
export const icons = { passed: "✅", failed: "❌", pending: "⏳", skipped: "⏹️", error: "⚠️" } as const;
