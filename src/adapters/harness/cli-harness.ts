/**
 * The common part of the CLIs of a model service. It finds the program, and starts it only with access to its models.
 */
import { harnessTiers } from "../../config/models.ts";
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../ports/harness.ts";
import { services } from "../model-service/services.ts";
import { type CliDescription, installLine } from "./description.ts";
import { modelAccess, type OwnAccess } from "./model-access.ts";
import { type ProbeOptions, probeCli } from "./probe.ts";
import { missingKey } from "./run-harness.ts";

interface Cli {
  description: CliDescription;
  binary: string;
  own: OwnAccess;
  /** Further needs of the machine, apart from the program. */
  check?: ProbeOptions["check"];
  run(
    request: HarnessRequest,
    access: OwnAccess,
    onEvent: (event: HarnessEvent) => void,
    signal: AbortSignal,
  ): Promise<HarnessResult>;
}

export function cliHarness({ description, binary, own, check, run }: Cli): Harness {
  const { name, capabilities, tools, provider, keys } = description;
  return {
    name,
    capabilities,
    ...(tools === null ? {} : { tools }),
    defaultModel: harnessTiers(description).standard,
    probe: () =>
      probeCli({
        command: [binary],
        install: installLine(description),
        check,
        authenticated: own.apiKey !== undefined || own.login !== undefined,
        authenticate: `Set ${keys.apiKey} where Baton runs.`,
      }),
    async run(request, onEvent, signal) {
      const access = modelAccess(request, services[provider], own);
      return access === null ? missingKey(keys.apiKey) : run(request, access, onEvent, signal);
    },
  };
}
