#!/usr/bin/env node
/**
 * A small agent of the Agent Client Protocol, for tests.
 *
 * `agent.mjs PROGRAM`: at the prompt it becomes PROGRAM, as far as one sees: the prompt on its standard input, its output as it comes,
 * its end as its own. `agent.mjs` alone: it does what the lines of the prompt that begin with `do ` say, one JSON value each.
 * With BATON_TEST_VERSION=2 it speaks version 2 of the protocol: a prompt is answered at once, and `idle` ends the turn.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [program] = process.argv.slice(2);
const sessionId = "acp-session-1";
const options = ["allow_always", "allow_once", "reject_once", "reject_always"].map((kind) => ({
  optionId: `option-${kind}`,
  name: kind,
  kind,
}));
const waiting = new Map();
let asked = 100;
let loggedIn = false;
let cancelled = () => {};

const isSecond = process.env["BATON_TEST_VERSION"] === "2";
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const update = (more) => send({ method: "session/update", params: { sessionId, update: more } });
const ask = (method, params) =>
  new Promise((resolve) => {
    asked += 1;
    waiting.set(asked, resolve);
    send({ id: asked, method, params: { sessionId, ...params } });
  });

async function perform(deed) {
  if (deed.exit === true) process.exit(0);
  if (deed.stay === true) setInterval(() => {}, 60_000);
  if (deed.update !== undefined) update(deed.update);
  if (deed.ask !== undefined) {
    const { id: _, jsonrpc: __, ...answer } = await ask(deed.ask, { options, ...deed.params });
    writeFileSync(deed.into, JSON.stringify(answer));
  }
  if (deed.wait === "cancel") {
    send({
      method: "session/update",
      params: { sessionId, update: { sessionUpdate: "tool_call", toolCallId: "w", title: "waits" } },
    });
    await new Promise((resolve) => {
      cancelled = resolve;
    });
    writeFileSync("cancelled.txt", "yes");
    return { stopReason: "cancelled" };
  }
  return deed.answer;
}

async function obey(text) {
  const deeds = text.split("\n").flatMap((line) => (line.startsWith("do ") ? [JSON.parse(line.slice(3))] : []));
  for (const deed of deeds) {
    const answer = await perform(deed);
    if (answer !== undefined) return answer;
  }
  return { stopReason: "end_turn" };
}

function become(text) {
  const child = spawn(program, [], { stdio: ["pipe", "inherit", "inherit"] });
  // It does not go before what it has become.
  process.on("SIGTERM", () => {});
  child.stdin.on("error", () => {});
  child.stdin.end(text);
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners("SIGTERM");
    process.kill(process.pid, signal);
  });
}

const needsLogin = process.env["BATON_TEST_LOGIN"];
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params, ...answer } = JSON.parse(line);
  const reply = (result) => send({ id, result });
  switch (method) {
    case "initialize":
      writeFileSync("initialize.json", JSON.stringify(params));
      if (isSecond) {
        send({
          method: "session/update",
          params: { sessionId, update: { sessionUpdate: "state_update", state: "idle" } },
        });
        const authMethods = [{ type: "agent", methodId: "api-key", name: "Key" }];
        return reply({ protocolVersion: 2, info: { name: "small", version: "1" }, capabilities: {}, authMethods });
      }
      return reply({ protocolVersion: 1, agentCapabilities: {}, authMethods: [{ id: "api-key", name: "Key" }] });
    case isSecond ? "auth/login" : "authenticate":
      loggedIn = needsLogin !== "never";
      return reply({});
    case "session/new":
      if (needsLogin !== undefined && !loggedIn)
        return send({ id, error: { code: -32000, message: "Authentication required" } });
      writeFileSync("session.json", JSON.stringify(params));
      if (isSecond) {
        const options = [{ value: "model-1", name: "One" }];
        const model = {
          type: "select",
          configId: "model",
          name: "Model",
          category: "model",
          currentValue: "x",
          options,
        };
        return reply({ sessionId, configOptions: [model] });
      }
      return reply({
        sessionId,
        models: { availableModels: [{ modelId: "model-1", name: "One" }], currentModelId: "x" },
      });
    case "session/set_config_option":
      writeFileSync("model.txt", `${params.configId} ${params.type} ${params.value}`);
      return reply({ configOptions: [] });
    case "session/set_model":
      writeFileSync("model.txt", params.modelId);
      return reply({});
    case "session/cancel":
      return cancelled();
    case "session/prompt": {
      const text = params.prompt.map((block) => block.text).join("\n");
      if (program !== undefined) return become(text);
      if (isSecond) {
        reply({ messageId: "message-1" });
        update({ sessionUpdate: "state_update", state: "running" });
        return void obey(text).then(({ error, ...result }) =>
          update({
            sessionUpdate: "state_update",
            state: "idle",
            ...(error === undefined ? result : { stopReason: "error", error }),
          }),
        );
      }
      return void obey(text).then((result) => (result.error === undefined ? reply(result) : send({ id, ...result })));
    }
    default:
      return waiting.get(id)?.({ id, ...answer });
  }
});
