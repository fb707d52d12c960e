#!/usr/bin/env node
/** Prints its key wherever it can, and a token that it found somewhere. */
import { env, stderr, stdout } from "node:process";

const key = env[env["BATON_TEST_KEY_NAME"]];
const token = `ghp_${"a1B2".repeat(9)}`;
stdout.write(`key ${key} token ${token}\n`);
stdout.write(`${JSON.stringify({ type: "text", text: `key ${key}` })}\n`);
stdout.write(
  `${JSON.stringify({ type: "assistant", message: { content: [{ type: "text", text: `key ${key}` }] } })}\n`,
);
stdout.write(`${JSON.stringify({ type: "item.completed", item: { type: "agent_message", text: `key ${key}` } })}\n`);
stdout.write(`${JSON.stringify({ type: "assistant.message", data: { content: `key ${key}` } })}\n`);
stdout.write(`${JSON.stringify({ type: "text", part: { text: `key ${key}` } })}\n`);
stdout.write(`${JSON.stringify({ type: "message", role: "assistant", content: `key ${key}`, delta: true })}\n`);
stdout.write(`${JSON.stringify({ type: "tool_use", tool_name: "list" })}\n`);
const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: `key ${key}` } };
stdout.write(`${JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: { update } })}\n`);
const call = { sessionUpdate: "tool_call", toolCallId: "1", title: "list" };
stdout.write(`${JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: { update: call } })}\n`);
const message = { role: "assistant", content: [{ type: "text", text: `key ${key}` }] };
stdout.write(`${JSON.stringify({ type: "message_end", message })}\n`);
stderr.write(`failed with key ${key} (${Buffer.from(key).toString("base64")}) and ${token}\n`);
process.exitCode = 1;
