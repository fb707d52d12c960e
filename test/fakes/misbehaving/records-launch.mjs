#!/usr/bin/env node
/** Writes down how it was started: arguments, environment, standard input, and the files of its home; then it ends well. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, env, stdin, stdout } from "node:process";

let input = "";
for await (const chunk of stdin) input += chunk;
const home = env["HOME"];
const files = readdirSync(home, { recursive: true })
  .map((path) => join(home, path))
  .filter((path) => statSync(path).isFile())
  .map((path) => [path, readFileSync(path, "utf8")]);
writeFileSync(
  "launch.json",
  JSON.stringify({ arguments: argv.slice(2), env, input, files: Object.fromEntries(files) }),
);
stdout.write(readFileSync(env["BATON_TEST_STREAM"]));
