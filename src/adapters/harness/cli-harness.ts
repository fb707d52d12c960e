/** What every CLI of a model's service has in common: how it is looked for, and that it begins with access to its models or not at all. */
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../ports/harness.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { modelAccess, type OwnAccess } from "./model-access.ts";
import { type ProbeOptions, probeCli } from "./probe.ts";
import { missingKey } from "./run-harness.ts";

interface Cli extends Pick<Harness, "name" | "capabilities" | "tools" | "defaultModel"> {
  binary: string;
  /** The line that installs it. */
  install: string;
  provider: ModelProvider;
  /** Environment variable of the operator's key. */
  keyVariable: string;
  own: OwnAccess;
  /** What it needs of the machine besides being there. */
  check?: ProbeOptions["check"];
  run(
    request: HarnessRequest,
    access: OwnAccess,
    onEvent: (event: HarnessEvent) => void,
    signal: AbortSignal,
  ): Promise<HarnessResult>;
}

export function cliHarness({ binary, install, provider, keyVariable, own, check, run, ...harness }: Cli): Harness {
  return {
    ...harness,
    probe: () =>
      probeCli({
        command: [binary],
        install,
        check,
        authenticated: own.apiKey !== undefined || own.login !== undefined,
        authenticate: `Set ${keyVariable} where Baton runs.`,
      }),
    async run(request, onEvent, signal) {
      const access = modelAccess(request, provider, own);
      return access === null ? missingKey(keyVariable) : run(request, access, onEvent, signal);
    },
  };
}
