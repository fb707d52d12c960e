/** docs/reference/harnesses.md: the declared capabilities of each harness, and how Baton enforces a bound without one. */
import { builtInHarnesses, describedHarnesses } from "../../src/adapters/harness/descriptions.ts";
import { createHarnesses } from "../../src/adapters/harness/index.ts";
import { tools } from "../../src/core/instructions.ts";
import { type Capability, capabilities } from "../../src/core/vocabulary.ts";
import type { Harness } from "../../src/ports/harness.ts";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom, markdownTable } from "./table.ts";

/** The meaning of each capability, and the behavior of a harness without it. */
const meanings: Record<Capability, readonly [means: string, without: string]> = {
  resume: [
    "goes on in an earlier session, also in another workspace",
    "begins a new session; its prompt is whole by itself",
  ],
  readOnly: ["can be held to reading by its own means", "is not chosen by profiles that only read"],
  systemPrompt: ["takes a system text of its own", "is given it before the prompt"],
  maxTurns: [
    "counts `limits.turns` itself",
    "may ask models that often: the proxy refuses the next request (a `command` has its own models, and is not held)",
  ],
  maxUsd: ["stops at an amount of money itself", "is stopped by the proxy, or when it says that it used more"],
  reportsUsage: ["says what tokens it used", "is counted by the proxy"],
  reportsCost: ["says what it cost", "is priced by the table, or by `prices`"],
  toolServers: ["uses servers of `mcp`", "gets none, and its prompt speaks of none"],
};

const toolTexts: Record<(typeof tools)[number], string> = {
  read: "read",
  search: "search",
  edit: "edit",
  shell: "run commands",
  tasks: "keep a list of steps",
  web: "fetch",
};

function all(): Harness[] {
  const cli = { binary: "", apiKey: undefined, baseUrl: undefined };
  const harnesses = createHarnesses({
    clis: Object.fromEntries(builtInHarnesses.map((name) => [name, cli])),
    acp: { "of the protocol": { command: [] } },
    command: { command: [], keys: {} },
    sessionsDir: "",
  });
  return [...harnesses.values()];
}

export function harnessReference(): GeneratedFile {
  const harnesses = all();
  const names = harnesses.map(({ name }) => (name.includes(" ") ? name : `\`${name}\``));
  const mark = (can: boolean): string => (can ? "yes" : "");
  const toolsOf = (access: "read-only" | "write"): string[] =>
    harnesses.map(({ tools: own }) =>
      own === undefined
        ? "not known"
        : tools
            .filter((tool) => own[access].includes(tool))
            .map((tool) => toolTexts[tool])
            .join(", "),
    );
  const text = [
    "# Reference: harnesses",
    "",
    generatedFrom("src/adapters/harness"),
    "",
    "What each harness declares of itself; *of the protocol* is any agent of the [Agent Client Protocol](../guides/harnesses.md#any-agent-of-the-agent-client-protocol). `needs` of a [profile](baton-yaml.md) takes the names of the first column: a harness without one of them is then not chosen.",
    "",
    ...markdownTable(
      ["Can", "What it means", ...names, "One that cannot"],
      capabilities.map((capability) => [
        `\`${capability}\``,
        meanings[capability][0],
        ...harnesses.map((harness) => mark(harness.capabilities[capability])),
        meanings[capability][1],
      ]),
    ),
    "## Money",
    "",
    `Every request to a model passes Baton's proxy, and is counted there. These may ask their models without it, and report what they used: ${describedHarnesses
      .filter(({ selfReporting }) => selfReporting)
      .map(({ name, program }) => (name === "acp" && program === null ? "any agent of the protocol" : `\`${name}\``))
      .join(", ")}. The status comment names them next to the budget.`,
    "",
    "## Tools",
    "",
    "Tools of its own that the agent is given, and of which its prompt speaks. The suite over the real programs holds them against what the model is sent.",
    "",
    ...markdownTable(
      ["Harness", "In steps that write", "In steps that only read"],
      names.map((name, index) => [name, toolsOf("write")[index] ?? "", toolsOf("read-only")[index] ?? ""]),
    ),
  ].join("\n");
  return { path: "docs/reference/harnesses.md", text };
}
