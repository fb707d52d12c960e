#!/usr/bin/env node
// Starts the command line: in a clone from its sources, with a Node that runs TypeScript; as an installed package from what was
// built for it. Plain JavaScript of old, so that an old Node can say what is missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const isInstalled = /[\\/]node_modules[\\/]/.test(fileURLToPath(import.meta.url));
const main = new URL(isInstalled ? "../dist/cli/main.js" : "../src/cli/main.ts", import.meta.url);
const brought = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
const newEnough = Number(process.versions.node.split(".")[0]) >= 24;

if (newEnough) {
  // What was stripped of its types and compiled once is taken from there: the next command starts in half the time.
  module.enableCompileCache();
  await import(main.href);
} else if (existsSync(brought)) {
  const { status } = spawnSync(brought, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exitCode = status === null ? 1 : status;
} else {
  process.stderr.write(`Baton needs Node 24 or newer; this is ${process.version}.\n`);
  process.exitCode = 1;
}
