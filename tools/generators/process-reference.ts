/** docs/reference/processes.md: the ready-made processes, from what they say of themselves. */
import { z } from "zod";
import { builtInProcesses } from "../../processes/index.ts";
import { workInputSchema } from "../../processes/schema.ts";
import { describeSchema } from "../../src/config/json-schema.ts";
import type { ProcessDefinition } from "../../src/process/process.ts";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom, markdownTable } from "./table.ts";

const reachWords = {
  "read-only": "Reads only: its agents change nothing, and all that it writes is a comment. The engine refuses more.",
  "plan-only":
    "Plans only: its agents read, no command runs, and all that it writes is a comment. The engine refuses more.",
  "verify-only":
    "Judges only: its agents read, commands may run, and all that it writes is a comment. The engine refuses more.",
} as const;

export function processReference(): GeneratedFile {
  const registry = builtInProcesses();
  const all = registry.names().map((name) => registry.latest(name));
  const text = [
    "# Reference: processes",
    "",
    generatedFrom("processes"),
    "",
    "What `/baton run <name>` starts. The first word after `run` names a process; without one an issue gets `issue-to-pr` and a pull request `address-review`, or what `process` of [baton.yaml](baton-yaml.md) says. Own ones: [processes](../guides/processes.md), [processes in YAML](../guides/yaml-processes.md).",
    "",
    ...markdownTable(
      ["Process", "What it does", "On"],
      all.map((one) => [`[\`${one.name}\`](#${one.name})`, one.summary, placesOf(one)]),
    ),
    ...all.flatMap(section),
    "## Input",
    "",
    "What a run that is begun in a thread gets, gathered once and kept in its journal:",
    "",
    ...fields(workInputSchema),
  ].join("\n");
  return { path: "docs/reference/processes.md", text };
}

function section(one: ProcessDefinition): string[] {
  const { name, version, summary, reach, guide, stages, output } = one;
  return [
    `## ${name}`,
    "",
    `${summary} Version ${version}; on ${placesOf(one)}.`,
    "",
    ...(guide === undefined
      ? []
      : [`**When:** ${guide.when}`, "", `**Asks people:** ${guide.asks}`, "", `**Costs:** ${guide.costs}`, ""]),
    ...(reach === undefined ? [] : [`**May:** ${reachWords[reach]}`, ""]),
    `**Stages:** ${stages.join(", ")}.`,
    "",
    ...(guide?.effects === undefined
      ? []
      : markdownTable(
          ["Effect", "What it is"],
          Object.entries(guide.effects).map(([effect, words]) => [`\`${effect}\``, words]),
        )),
    "Ends with:",
    "",
    ...fields(output),
  ];
}

function fields(schema: z.ZodType): string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }) as {
    properties?: Record<string, Parameters<typeof describeSchema>[0]>;
    required?: string[];
  };
  return markdownTable(
    ["Field", "Is"],
    Object.entries(properties).map(([field, one]) => [
      `\`${field}\``,
      `${describeSchema(one)}${required.includes(field) ? "" : ", where there is one"}`,
    ]),
  );
}

function placesOf({ on = ["issue", "pull-request"] }: ProcessDefinition): string {
  return on.map((kind) => (kind === "issue" ? "issues" : "pull requests")).join(" and ");
}
