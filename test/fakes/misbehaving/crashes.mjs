#!/usr/bin/env node
/** Says why on standard error and dies. */
process.stderr.write("FATAL: no space left on device\n");
process.exit(3);
