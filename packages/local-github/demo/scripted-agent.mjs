#!/usr/bin/env node
/**
 * A harness without a model: it reads the prompt, takes the next step of its script for its role and really edits files.
 * The script is a JSON file named by BATON_AGENT_SCRIPT: `{"<role>": [step, …]}`; the last step of a role repeats.
 * A step: `{text, says: [line], files: {path: content | null}, usage: {model, input, output, …}, waitFor: path, exitCode, error}`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { env, exit, stdin, stdout } from "node:process";

const say = (line) => stdout.write(`${JSON.stringify(line)}\n`);
for await (const _ of stdin);

const role = env["BATON_ROLE"] ?? "implement";
const scriptPath = env["BATON_AGENT_SCRIPT"];
const script = JSON.parse(readFileSync(scriptPath, "utf8"));
const counterPath = `${scriptPath}.${role}.count`;
const count = existsSync(counterPath) ? Number(readFileSync(counterPath, "utf8")) : 0;
writeFileSync(counterPath, String(count + 1));
const steps = script[role] ?? [];
const step = steps[Math.min(count, steps.length - 1)] ?? { text: `Nothing is scripted for ${role}.` };

say({ type: "session", sessionId: `scripted-${role}-${count + 1}` });
if (step.usage) say({ type: "usage", model: "scripted-model", ...step.usage });
for (const line of step.says ?? []) say(line);
if (step.waitFor) await appears(step.waitFor);
for (const [path, content] of Object.entries(step.files ?? {})) {
  say({ type: "tool", name: "edit", detail: path });
  if (content === null) rmSync(path, { force: true });
  else {
    mkdirSync(dirname(join(".", path)), { recursive: true });
    writeFileSync(path, content);
  }
}
if (step.error) say({ type: "error", ...step.error });
say({ type: "result", text: step.text ?? "Done." });
exit(step.exitCode ?? 0);

async function appears(path) {
  writeFileSync(`${path}.waiting`, String(env["BATON_ATTEMPT"] ?? ""));
  if (existsSync(path)) return;
  await new Promise((resolve) => {
    const watcher = watch(dirname(path), (_, name) => {
      if (name === basename(path) && existsSync(path)) {
        watcher.close();
        resolve();
      }
    });
    if (existsSync(path)) {
      watcher.close();
      resolve();
    }
  });
}
