#!/usr/bin/env node
// Starts the command line with a Node that runs TypeScript: this one, or the one that the project brings along. Plain
// JavaScript of old, so that an old Node can say what is missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../src/cli/main.ts", import.meta.url);
const brought = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));

if (process.features.typescript) {
  await import(main.href);
} else if (existsSync(brought)) {
  const { status } = spawnSync(brought, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exitCode = status === null ? 1 : status;
} else {
  process.stderr.write(`Baton needs Node 24 or newer; this is ${process.version}.\n`);
  process.exitCode = 1;
}
