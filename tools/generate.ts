/**
 * `npm run generate`: files that follow from the code. Each generator has one file in `generators/` and one line here.
 * `test/generated.test.ts` fails if a committed file differs from the output.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { commandLineReference } from "./generators/command-line-reference.ts";
import { commandNames } from "./generators/command-names.ts";
import { commandReference } from "./generators/command-reference.ts";
import { configReference } from "./generators/config-reference.ts";
import { configSchema } from "./generators/config-schema.ts";

import { errorReference } from "./generators/error-reference.ts";
import { harnessReference } from "./generators/harness-reference.ts";
import { invariantsReference } from "./generators/invariants-reference.ts";
import { layerRules } from "./generators/layer-rules.ts";
import { openapi } from "./generators/openapi.ts";
import { policyReference } from "./generators/policy-reference.ts";
import { processReference } from "./generators/process-reference.ts";
import { processSchema } from "./generators/process-schema.ts";
import { promptReference } from "./generators/prompt-reference.ts";
import { settingsReference } from "./generators/settings-reference.ts";

export interface GeneratedFile {
  /** From the root of the repository. */
  path: string;
  text: string;
}

export function generatedFiles(): GeneratedFile[] {
  return [
    configSchema(),
    configReference(),
    processSchema(),
    layerRules(),
    policyReference(),
    commandNames(),
    commandReference(),
    processReference(),
    errorReference(),
    settingsReference(),
    harnessReference(),
    invariantsReference(),
    commandLineReference(),
    openapi(),
    promptReference(),
  ];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { path, text } of generatedFiles()) {
    const target = join(import.meta.dirname, "..", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    console.log(path);
  }
}
