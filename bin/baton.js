#!/usr/bin/env node
// Starts the command line: in a clone from its sources, with a Node that runs TypeScript; as an installed package from what was
// built for it. Plain JavaScript of old, so that an old Node can say what is missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const sources = new URL("../src/cli/main.ts", import.meta.url);
const isClone = existsSync(sources);
const main = isClone ? sources : new URL("../dist/js/main.js", import.meta.url);
const brought = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
const [major, minor] = process.versions.node.split(".").map(Number);
const newEnough = isClone ? major >= 24 : major > 22 || (major === 22 && minor >= 13);

// Node calls its SQLite experimental. Baton uses it for one lock.
const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  if (!/SQLite is an experimental feature/.test(String(warning))) emitWarning.call(process, warning, ...rest);
};

if (newEnough) {
  // What was compiled once is taken from there: the next command starts in half the time.
  module.enableCompileCache();
  await import(main.href);
} else if (isClone && existsSync(brought)) {
  const { status } = spawnSync(brought, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exitCode = status === null ? 1 : status;
} else {
  process.stderr.write(
    `Baton needs Node ${isClone ? "24" : "22.13"} or newer. This is Node ${process.versions.node}.${isClone ? " Run `npm install` in the clone: it brings Node 24." : ""}\n`,
  );
  process.exitCode = 1;
}
