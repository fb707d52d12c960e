#!/usr/bin/env node
/** Bytes that are no text, JSON that is no event, then the stream of the test. */
import { readFileSync } from "node:fs";
import { env, stdout } from "node:process";

const bytes = Buffer.alloc(4_096);
for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 7 + (at >> 3)) % 256;
stdout.write(bytes);
stdout.write('\n{"type":\n{}\n[]\nnull\n{"type":"assistant","message":7}\n{"type":"item.completed"}\n\u0000\n');
stdout.write(readFileSync(env["BATON_TEST_STREAM"]));
