#!/usr/bin/env node
/** Never silent, never done. */
setInterval(() => process.stderr.write("still here\n"), 20);
