/** A harness that only says when it began to live: its first instruction is the clock. */
const now = Date.now();
const { appendFileSync } = await import("node:fs");
appendFileSync(process.argv[2], `${now}\n`);
