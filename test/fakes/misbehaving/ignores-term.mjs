#!/usr/bin/env node
/** Will not be asked to leave. */
process.on("SIGTERM", () => process.stderr.write("no\n"));
process.stderr.write("ready\n");
setInterval(() => {}, 60_000);
