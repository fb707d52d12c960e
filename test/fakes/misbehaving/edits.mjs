#!/usr/bin/env node
/** A good harness: reads its prompt to the end, edits a file, prints the stream that the test gives it. */
import { readFileSync, writeFileSync } from "node:fs";
import { env, stdin, stdout } from "node:process";

let prompt = "";
for await (const chunk of stdin) prompt += chunk;
writeFileSync("hello.txt", "hi\n");
writeFileSync("prompt.txt", prompt);
stdout.write(readFileSync(env["BATON_TEST_STREAM"]));
