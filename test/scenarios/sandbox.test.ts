/** An agent in the sandbox, through the whole App: its reach, the thread's messages, and runs without a sandbox. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleFiles, sampleScript } from "../../packages/local-github/demo/sample.ts";
import type { WorldOptions } from "../../packages/local-github/demo/world.ts";
import type { SandboxState } from "../../src/policy/sandbox.ts";
import type { AgentSandbox } from "../../src/ports/sandbox.ts";
import { clonedReader } from "../git-reader.ts";
import { sandboxWorks } from "../sandbox-here.ts";
import { ends, type ObservedWorld, observedWorld, ownComments, pulls, runState, say } from "./helpers.ts";

/** It plans, then tries everything forbidden, keeps the results in the tree, and does its work. */
const hostile = `
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
let prompt = "";
for await (const chunk of process.stdin) prompt += chunk;
const { env } = process;
const script = JSON.parse(env.SCRIPT ?? readFileSync(join(import.meta.dirname, "script.json"), "utf8"));
const step = script[env.BATON_ROLE][0];
const [, port, data] = /reach (\\d+) and (\\S+)/.exec(prompt) ?? [];
const tried = {};
const attempt = async (name, deed) => {
  try { tried[name] = String(await deed()).slice(0, 200); } catch (error) { tried[name] = "stopped: " + (error.code ?? error.name); }
};
if (env.BATON_ROLE === "implement") {
  await attempt("data", () => readdirSync(data));
  await attempt("above", () => { const up = dirname(dirname(dirname(process.cwd()))); return readdirSync(up).concat(readdirSync(dirname(process.cwd()))); });
  await attempt("next to the tree", () => writeFileSync("../intruder.txt", "x"));
  await attempt("home of the user", () => readdirSync("/root").concat(readdirSync("/home")));
  await attempt("shadow", () => readFileSync("/etc/shadow", "utf8"));
  await attempt("processes", () => readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length);
  await attempt("kill", () => process.kill(Number(/baton pid (\\d+)/.exec(prompt)?.[1] ?? 0) || 999999, 0));
  await attempt("loopback", () => new Promise((resolve, reject) => connect(Number(port), "127.0.0.1").once("connect", () => resolve("connected")).once("error", reject)));
  await attempt("denied host", async () => (await fetch("http://denied.example/")).status);
  await attempt("key", () => JSON.stringify(env).includes("operators-secret"));
  writeFileSync("tried.json", JSON.stringify(tried));
}
for (const [path, content] of Object.entries(step.files ?? {})) writeFileSync(path, content);
console.log(JSON.stringify({ type: "result", text: step.text ?? "Done." }));
`;

let directory: string;
let world: ObservedWorld | null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-agent-"));
  world = null;
});
afterEach(async () => {
  await world?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function begin(config: string, more: Partial<WorldOptions> = {}): Promise<ObservedWorld> {
  const agent = join(directory, "agent.mjs");
  writeFileSync(agent, hostile);
  const script = JSON.stringify({ ...sampleScript, implement: [{ ...sampleScript.repair[0] }] });
  const program = ["env", `SCRIPT=${script}`, process.execPath, agent];
  world = await observedWorld({
    files: sampleFiles,
    config: `version: 1\nharness: { default: command }\n${config}`,
    harnesses: null,
    ...more,
    environment: {
      BATON_HARNESS_COMMAND: JSON.stringify(program),
      OPENAI_API_KEY: "sk-operators-secret-0123456789abcdef",
      ...more.environment,
    },
  });
  return world;
}

const lines = (of: ObservedWorld): string => ownComments(of).join("\n");

describe.skipIf(!sandboxWorks)("an agent in the sandbox", () => {
  it("does its work, reaches nothing else, and the thread names the host that was denied with the setting that allows it", async () => {
    const here = await begin("sandbox: require\n");
    say(
      here,
      `/baton run Now reach ${new URL(here.github.url).port} and ${here.settings.dataDir} baton pid ${process.pid}`,
    );
    await here.until("a pull request", () => pulls(here)[0]);
    const reader = await clonedReader(`${here.github.url}/acme/shop.git`, join(directory, "clone"));
    const refs = await reader.refs();
    const branch = Object.keys(refs).find((name) => name.includes("baton/")) as string;
    const tried = JSON.parse(await reader.file(branch, "tried.json")) as Record<string, string>;
    expect(tried).toMatchObject({
      // Only the path down to the attempt's own directories is visible in Baton's data.
      data: expect.stringMatching(/^(?:stopped.*|workspaces)$/) as string,
      shadow: expect.stringMatching(/^stopped/) as string,
      kill: expect.stringMatching(/^stopped/) as string,
      loopback: expect.stringMatching(/^stopped/) as string,
      "denied host": expect.stringMatching(/^(?:stopped.*|403)$/) as string,
      key: "false",
    });
    expect(Number(tried["processes"])).toBeLessThan(12);
    const onDisk = readdirSync(here.directory, { recursive: true, encoding: "utf8" });
    expect(onDisk.filter((path) => path.endsWith("intruder.txt"))).toEqual([]);
    expect(lines(here)).toContain("The sandbox denied the host `denied.example`.");
    expect(lines(here)).toContain('sandbox: { network: ["denied.example"] }');
    const state = await runState(here);
    expect(state?.effects.get("implement" as never)).toMatchObject({
      status: "succeeded",
      output: { sandbox: { missing: null, denied: [{ kind: "host", name: "denied.example" }] } },
    });
    expect(readFileSync(join(directory, "agent.mjs"), "utf8")).toBe(hostile);
  });

  it("`sandbox.setup`: runs before the agent; a command that fails stops the run before anything is paid", async () => {
    const here = await begin("sandbox: { mode: require, setup: ['touch made', 'ls made && exit 3'] }\n");
    say(here, "/baton run Now reach 1 and /nowhere");
    const state = await ends(here);
    expect(state.outcome?.error?.code).toBe("BATON_SETUP_FAILED");
    expect(state.outcome?.error?.message).toMatch(/exit code 3: [^]*made/);
    expect(state.money.spentUsd).toBe(0);
  });

  it("a program that the repository names needs no permission of the operator", async () => {
    const here = await begin("", {
      files: { ...sampleFiles, "agent.mjs": hostile, "script.json": JSON.stringify(sampleScript) },
      config: "version: 1\nsandbox: require\nharness: { default: command, command: [node, agent.mjs] }\n",
    });
    say(here, "/baton run Now reach 1 and /nowhere");
    await here.until("a pull request", () => pulls(here)[0]);
    expect(lines(here)).not.toContain("BATON_REPOSITORY_COMMANDS");
  });
});

describe("a machine without a sandbox", () => {
  const broken: SandboxState = {
    works: false,
    name: "bubblewrap",
    problem: "bubblewrap is not installed.",
    remedy: "apt-get install bubblewrap",
  };
  const none = (operator: AgentSandbox["operator"], root: boolean): AgentSandbox => ({
    sandbox: {
      state: async () => broken,
      confine: () => {
        throw new Error("There is none.");
      },
    },
    operator,
    hosts: null,
    readable: [],
    resources: { memoryBytesMax: 1, processesMax: 1, diskBytesMax: 1 },
    root,
  });

  it("starts, and refuses a run that requires one before anything is paid, with the line that installs it", async () => {
    const here = await begin("", { agentSandbox: none("require", false) });
    say(here, "/baton run Now reach 1 and /nowhere");
    const answer = await here.until("an answer", () => ownComments(here).find((body) => body.includes("sandbox")));
    expect(answer).toContain("bubblewrap is not installed. Fix: apt-get install bubblewrap");
    expect(await runState(here)).toBeNull();
  });

  it("refuses under `prefer` as root, and names the operator's word", async () => {
    const here = await begin("", { agentSandbox: none("prefer", true) });
    say(here, "/baton run Now reach 1 and /nowhere");
    const answer = await here.until("an answer", () => ownComments(here).find((body) => body.includes("sandbox")));
    expect(answer).toContain("BATON_SANDBOX=off");
    expect(await runState(here)).toBeNull();
  });

  it("goes on under `prefer` as a user, and the thread says so", async () => {
    const here = await begin("", { agentSandbox: none("prefer", false) });
    say(here, "/baton run Now reach 1 and /nowhere");
    await here.until("the warning", () => lines(here).includes("No sandbox: agents of this run could reach more"));
    say(here, "/baton cancel");
    await ends(here);
  });
});
