/**
 * The prompt of one attempt. Baton composes it for the chosen harness, runs the hooks, stores and journals it, in this
 * order.
 *
 * I1 Baton stores and journals every prompt by content hash before the agent gets it, byte for byte.
 * I2 Baton redacts apparent secrets before it stores or sends a prompt: a token in a thread reaches no model.
 */
import type { Settings } from "../../config/schema.ts";
import type { AgentInput } from "../../core/effect.ts";
import type { Instruction } from "../../core/instructions.ts";
import type { Json } from "../../core/vocabulary.ts";
import type { Harness } from "../../ports/harness.ts";
import { compose, partsOf, render } from "../../prompt/compose.ts";
import { writeDocument } from "../../prompt/document.ts";
import { type NamedHook, runHooks } from "../../prompt/hooks.ts";
import { overlaysOf } from "../../prompt/overlay.ts";
import { readPrompt } from "../../prompt/prompts.ts";
import { type Resume, resumeOf } from "../../prompt/resume.ts";
import type { Change } from "../../prompt/section.ts";
import { again } from "../../prompt/sections/resume.ts";
import type { Dependencies } from "../dependencies.ts";
import type { PerformContext } from "./performer.ts";

export interface Told {
  system: string;
  user: string;
  promptId: string;
}

export async function instruct(
  context: PerformContext,
  input: AgentInput,
  given: {
    harness: Harness;
    model: string | null;
    settings: Settings;
    /** Names of the agent's tool servers. */
    servers: readonly string[];
    /** Hosts that the agent's sandbox allows. null: the agent runs without a sandbox. */
    network: readonly string[] | null;
    takenOverFrom: string | null;
    headSha: string | null;
    resumed: boolean;
    change: Change | null;
  },
): Promise<Told> {
  const { dependencies, state, effect, attempt } = context;
  const { harness, model, takenOverFrom, headSha, resumed } = given;
  const resume = resumeOf(state, effect, { attempt, takenOverFrom, session: resumed, baseSha: input.baseSha, headSha });
  const { store, redact } = dependencies;
  const { instructions: written, edits } = runHooks(hooksOf(dependencies, state.process), {
    runId: state.runId,
    process: state.process.name,
    effect: effect.key,
    attempt,
    role: input.role,
    access: input.access,
    harness: harness.name,
    instructions: composed(input, given, resume, redact),
  });
  const instructions = written.map((one) => ({ ...one, text: redact(one.text) }));
  const promptId = await store.putBlob(
    writeDocument({
      format: "baton-prompt/1",
      harness: harness.name,
      model,
      delivery: harness.capabilities.systemPrompt ? "system" : "head",
      resumed,
      sections: instructions,
    }),
  );
  const kept = await Promise.all(
    edits.map(async ({ before, ...edit }) => ({
      ...edit,
      before: before === null ? null : await store.putBlob(redact(before)),
    })),
  );
  await context.prompted?.({
    key: effect.key,
    attempt,
    promptId,
    agent: { harness: harness.name, model },
    edits: kept,
  });
  return { ...partsOf(instructions), promptId };
}

/** The installation's hooks first, then the process's own hook, which knows its task best. */
export function hooksOf(
  {
    processes,
    onInstructionsLoaded = [],
  }: Pick<Dependencies, "onInstructionsLoaded"> & Partial<Pick<Dependencies, "processes">>,
  { name, version }: { name: string; version: number },
): readonly NamedHook[] {
  const own = processes?.find(name, version)?.onInstructionsLoaded;
  return [...onInstructionsLoaded, ...(own === undefined ? [] : [{ name, edit: own }])];
}

/** For a worker with an unknown agent: a single prompt for an agent with all tools that the step allows. */
export function promptFor(
  input: AgentInput,
  settings: Settings,
  change: Change | null,
  redact: (text: string) => string,
): { system: string; user: string } {
  const harness = { name: "worker", capabilities: { systemPrompt: true } };
  const written = composed(input, { harness, settings, servers: [], network: null, change }, null, redact);
  return partsOf(written.map((one) => ({ ...one, text: redact(one.text) })));
}

function composed(
  input: AgentInput,
  {
    harness,
    settings,
    servers,
    network,
    change,
  }: {
    harness: Pick<Harness, "name" | "tools"> & { capabilities: Pick<Harness["capabilities"], "systemPrompt"> };
    settings: Settings;
    servers: readonly string[];
    network: readonly string[] | null;
    change: Change | null;
  },
  resume: Resume | null,
  redact: (text: string) => string,
): Instruction[] {
  const { prompt, role, access } = input;
  // A process's own prompt stays unchanged. Baton adds text only when the step begins again.
  if ("system" in prompt) {
    return [
      { name: "system", stratum: "stable" as const, text: prompt.system },
      { name: "user", stratum: "turn" as const, text: prompt.user },
      { name: "resume", stratum: "turn" as const, text: resume === null ? "" : render(again(resume)) },
    ].filter(({ text }) => text !== "");
  }
  // Each text is redacted before it is quoted. Otherwise the start of an apparent key could hide the end of the
  // quotation.
  const { task, facts } = readPrompt({ ...prompt, facts: redacted(prompt.facts, redact) });
  return compose({
    harness: {
      name: harness.name,
      systemPrompt: harness.capabilities.systemPrompt,
      tools: harness.tools?.[access] ?? null,
      servers,
      network,
    },
    role,
    access,
    overlays: overlaysOf({ role, access, profile: settings.harness.profile, facts, again: resume !== null }),
    settings,
    task,
    facts,
    resume,
    change: change === null ? null : { ...change, diff: fileByFile(change.diff, redact) },
  });
}

function redacted(value: Json, redact: (text: string) => string): Json {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => redacted(one, redact));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, redacted(one, redact)]])),
  );
}

/** The start of an apparent key in one file must not hide text of another file. */
function fileByFile(diff: string, redact: (text: string) => string): string {
  return diff
    .split(/^(?=diff --git )/m)
    .map((file) => {
      const clean = redact(file);
      return clean.endsWith("\n") || !file.endsWith("\n") ? clean : `${clean}\n`;
    })
    .join("");
}
