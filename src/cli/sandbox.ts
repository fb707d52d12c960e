/** The break-out probes for the command line: which harness they use, and how Baton prints a result. */
import { children } from "../adapters/child/children.ts";
import { startEgressProxy } from "../adapters/egress/proxy.ts";
import { builtInHarnesses, type CliName, describedHarness } from "../adapters/harness/descriptions.ts";
import { testSandbox, whyNotStarting } from "../adapters/sandbox/index.ts";
import type { ProbeResult } from "../adapters/sandbox/probes/probe.ts";
import { createLog, silentLog } from "../adapters/system/log.ts";
import { BatonError } from "../core/errors.ts";
import { type AppSettings, readSettings } from "../environment/settings.ts";
import { createRedactor } from "../text/redact.ts";
import { machineSandbox } from "../wire-sandbox.ts";
import type { CliContext } from "./context.ts";
import { environmentOf } from "./data.ts";

export async function testSandboxHere(
  context: CliContext,
  harness: string | undefined,
  onLine: (line: string) => void,
): Promise<ProbeResult[]> {
  const settings = readSettings(environmentOf(context));
  const log = createLog({ level: "error", redact: createRedactor({ secrets: settings.secrets }) });
  const options = { log, children, startEgress: startEgressProxy, hidden: [settings.dataDir] };
  const results: ProbeResult[] = [];
  const add = (result: ProbeResult): void => {
    results.push(result);
    onLine(lineOf(result));
  };
  if (harness !== undefined) {
    const command = programOf(settings, harness);
    const problem = await whyNotStarting(options, command);
    if (problem === null) context.note(`${harness} starts in the sandbox.`);
    else
      add({
        name: `start ${harness} (${command.join(" ")})`,
        source: "harness",
        verdict: "could not run",
        detail: problem,
      });
  }
  await testSandbox(options, add);
  const { works, problem, remedy } = await machineSandbox(settings.dataDir, log).state();
  if (!works) context.note(`${problem}${remedy === null ? "" : ` Fix: ${remedy}`}`);
  return results;
}

export async function sandboxHere(context: CliContext) {
  const { dataDir, sandbox } = readSettings(environmentOf(context));
  const state =
    sandbox.mode === "off"
      ? { works: false, name: "none", problem: null, remedy: null }
      : await machineSandbox(dataDir, silentLog).state();
  return { mode: sandbox.mode, ...state };
}

/** One line on this machine's sandbox. If the sandbox does not work, the line names the fix. */
export async function sandboxLineHere(context: CliContext): Promise<string> {
  const { mode, works, name, problem, remedy } = await sandboxHere(context);
  if (mode === "off") return "Sandbox: off (BATON_SANDBOX).";
  if (works) return `Sandbox: ${name} works (BATON_SANDBOX: ${mode}).`;
  const then = mode === "require" ? "No agent starts here." : "Agents run without one.";
  return `⚠️ Sandbox: ${problem} ${then}${remedy === null ? "" : ` Fix: ${remedy}`}`;
}

function lineOf({ name, source, verdict, detail }: ProbeResult): string {
  const words = { stopped: "stopped", "not stopped": "NOT STOPPED", "could not run": "could not run (not stopped)" };
  return `${words[verdict]}: ${name} [${source}]${detail === null ? "" : `: ${detail}`}`;
}

function isCli(name: string): name is CliName {
  return describedHarness(name)?.program != null;
}

function programOf({ harness }: AppSettings, name: string): string[] {
  const cli = isCli(name) ? harness[name] : undefined;
  if (cli !== undefined) return [cli.binary];
  const agent = harness.acp[name];
  const command = agent?.command ?? (name === "command" ? harness.command : []);
  if (command.length > 0) return command;
  const names = [...builtInHarnesses.filter(isCli), ...Object.keys(harness.acp)].join(", ");
  throw new BatonError("BATON_HARNESS_UNKNOWN", `No harness here is named "${name}". There are: ${names}.`);
}
