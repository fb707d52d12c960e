#!/usr/bin/env node
/** Prints without end: lines, or one line that never ends. */
import { env, stdout } from "node:process";

const chunk = "x".repeat(64 * 1024) + (env["BATON_TEST_NEWLINES"] === "no" ? "" : "\n");
const more = () => {
  while (stdout.write(chunk));
  stdout.once("drain", more);
};
more();
