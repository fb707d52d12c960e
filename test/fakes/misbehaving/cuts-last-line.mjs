#!/usr/bin/env node
/** Its last line stops in the middle, and it ends well. */
import { readFileSync } from "node:fs";
import { env, stdout } from "node:process";

const lines = readFileSync(env["BATON_TEST_STREAM"], "utf8").trim().split("\n");
const last = lines.pop();
stdout.write(`${lines.join("\n")}\n${last.slice(0, last.length / 2)}`);
