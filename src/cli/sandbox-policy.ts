/** The rules of the sandbox in force here, each with its origin. */
import { children } from "../adapters/child/children.ts";
import { startEgressProxy } from "../adapters/egress/proxy.ts";
import { describeHost } from "../adapters/sandbox/index.ts";
import { silentLog } from "../adapters/system/log.ts";
import { networkHosts, networkPresetNames, networkPresets } from "../config/network-presets.ts";
import type { Settings } from "../config/schema.ts";
import { readSettings } from "../environment/settings.ts";
import { effectiveMode } from "../policy/sandbox.ts";
import { hostsOf } from "../runner/perform/confine.ts";
import { agentSandboxOf, machineSandbox } from "../wire-sandbox.ts";
import type { Step } from "./commands/sandbox-policy.ts";
import type { CliContext } from "./context.ts";
import { environmentOf } from "./data.ts";

export interface Rule {
  rule: string;
  value: string;
  from: string;
}

export async function policyHere(context: CliContext, step: Step, settings: Settings): Promise<Rule[]> {
  const { sandbox, dataDir } = readSettings(environmentOf(context));
  const agentSandbox = agentSandboxOf(sandbox, machineSandbox(dataDir, silentLog));
  const { works, name, problem } = await agentSandbox.sandbox.state();
  const { mode } = settings.sandbox;
  const rules: Rule[] = [
    {
      rule: "mode",
      value: effectiveMode(sandbox.mode, mode),
      from: `BATON_SANDBOX: ${sandbox.mode}${mode === null ? "" : `, sandbox.mode in baton.yaml: ${mode}`}`,
    },
    { rule: "works here", value: works ? `yes, ${name}` : `no: ${problem}`, from: "self-test" },
    { rule: "write", value: "worktree, its git repository, home and /tmp of the attempt", from: "Baton" },
    { rule: "read", value: "objects of the repository that the remote gave", from: "Baton" },
  ];
  const options = { log: silentLog, children, startEgress: startEgressProxy, hidden: [dataDir] };
  for (const { path, why } of await describeHost(options)) rules.push({ rule: "read", value: path, from: why });
  for (const path of sandbox.readable) rules.push({ rule: "read", value: path, from: "BATON_SANDBOX_READABLE" });
  rules.push({ rule: "hidden", value: dataDir, from: "BATON_DATA" });
  if (step === "agent")
    rules.push({ rule: "network", value: "models, through Baton", from: "keys that the operator set" });
  rules.push(...networkRules(settings, sandbox.hosts));
  const { hosts } = hostsOf({ agentSandbox }, settings);
  if (hosts.length === 0)
    rules.push({ rule: "network", value: "no host", from: "sandbox.network in baton.yaml is empty" });
  const { memoryBytesMax, processesMax, diskBytesMax } = sandbox.resources;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;
  return [
    ...rules,
    { rule: "memory", value: megabytes(memoryBytesMax), from: "BATON_SANDBOX_MEMORY" },
    { rule: "processes", value: `${processesMax}`, from: "BATON_SANDBOX_PROCESSES" },
    { rule: "disk", value: megabytes(diskBytesMax), from: "BATON_SANDBOX_DISK" },
    { rule: "time", value: `${settings.limits.agentMinutes} min`, from: "limits.agentMinutes in baton.yaml" },
  ];
}

function networkRules(settings: Settings, bound: readonly string[] | null): Rule[] {
  return settings.sandbox.network.flatMap((entry): Rule[] => {
    const { hosts, refused } = networkHosts([entry], bound);
    const preset = networkPresetNames.find((name) => name === entry);
    const [problem] = refused;
    if (problem !== undefined)
      return [{ rule: "denied", value: entry, from: `BATON_SANDBOX_HOSTS: ${problem.reason}` }];
    return hosts.map((host) => ({
      rule: "network",
      value: host,
      from:
        preset === undefined
          ? "sandbox.network in baton.yaml"
          : `preset ${preset}: ${networkPresets[preset].find((one) => one.host === host)?.reason ?? ""}`,
    }));
  });
}
