#!/usr/bin/env node
/** A server of the Model Context Protocol on standard input and output, with one tool: `look_up` says what a word means. */
import { env, stdin, stdout } from "node:process";
import { createInterface } from "node:readline";

const tool = {
  name: "look_up",
  description: "Says what a word means.",
  inputSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
};

/** @type {Record<string, (params: any) => object>} */
const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "words", version: "1" },
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: [tool] }),
  "tools/call": ({ arguments: { word } }) => ({
    content: [{ type: "text", text: `a stick that is handed on: ${word}${env["WORDS_SUFFIX"] ?? ""}` }],
  }),
};

createInterface({ input: stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  // Notifications want no answer.
  if (id === undefined) return;
  const known = methods[method];
  const answer =
    known === undefined ? { error: { code: -32_601, message: `no ${method}` } } : { result: known(params ?? {}) };
  stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...answer })}\n`);
});
