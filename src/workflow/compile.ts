/**
 * A YAML process as an ordinary one: makes from a file what `defineProcess` would return.
 *
 * Owns: steps as effects, values of expressions, outputs, the verdict. Does not own: order and retries
 * (`process/workflow.ts`), the branch and the end of a run (`branch.ts`).
 * CP1 The definition follows from the texts alone. A run continues with its first texts, whatever the branch holds.
 */
import { z } from "zod";
import { agentOutputSchema, type Hints } from "../core/effect.ts";
import { BatonError, hasCode, isBatonError } from "../core/errors.ts";
import { rankOf } from "../core/priority.ts";
import { type Evidence, type Json, jsonSchema, shaSchema, type Verdict, verdictSchema } from "../core/vocabulary.ts";
import { demandFits } from "../process/pipeline.ts";
import type { EffectOptions, ProcessContext, ProcessDefinition, ProcessSource } from "../process/process.ts";
import {
  ancestorsOf,
  firstFailure,
  runWorkflow,
  type StepResults,
  succeeded,
  type WorkflowStep,
} from "../process/workflow.ts";
import type { Handoff } from "../prompt/facts.ts";
import { handoff } from "../prompt/handoff.ts";
import { cut } from "../text/cut.ts";
import { neutralise } from "../text/neutralise.ts";
import { Branch } from "./branch.ts";
import { lastWriters } from "./check.ts";
import { isTrue, type Status } from "./expression.ts";
import { factsSchema, type ProcessFacts } from "./facts.ts";
import { parseProcess } from "./parse.ts";
import { accessOf, kindOf, needsOf, type ProcessFile, type StepFile } from "./schema.ts";
import { contextNames, resultContext } from "./scope.ts";
import { answerIn, asData, stepPrompt } from "./step-prompt.ts";
import { asText, expressionsOf, fill, fillText, hasExpression, parseTemplate, type Template } from "./template.ts";
import { inputsSchema, schemaOfType } from "./value-type.ts";

/**
 * The version of the meaning of YAML processes. Raise it with every change to the requests of a file's steps. A run of
 * another version then stops with this reason, and does not diverge later. `language.test.ts` detects such a change.
 */
export const languageVersion = 2;

export interface YamlOutput {
  verdict: Verdict;
  outputs: Record<string, Json>;
  pullRequest: number | null;
  headSha: string | null;
}

const yamlOutputSchema: z.ZodType<YamlOutput> = z.object({
  verdict: verdictSchema,
  outputs: z.record(z.string(), jsonSchema),
  pullRequest: z.number().int().nullable(),
  headSha: shaSchema.nullable(),
});

/** Throws BATON_INPUT_INVALID with the lines if a text is not a process. Baton never journals such a text. */
export function compileSource(name: string, source: ProcessSource): ProcessDefinition {
  const file = fileOf(source.path, source.text);
  const children = new Map(source.uses.map((child) => [child.name, fileOf(child.path, child.text)]));
  const stages = [...new Set(file.steps.flatMap(({ stage }) => stage ?? []))];
  const definition: ProcessDefinition<ProcessFacts, YamlOutput> = {
    name,
    version: languageVersion,
    source,
    summary: file.summary,
    on: file.on,
    stages,
    input: factsSchema.extend({ inputs: inputsSchema(file.inputs).prefault({}) }) as unknown as z.ZodType<ProcessFacts>,
    output: yamlOutputSchema,
    verdict: ({ verdict }) => verdict,
    run: (ctx, facts) => new ProcessRun(ctx, facts, file, children).toEnd(),
  };
  // As in the registry: it gets only input that its own schema parsed.
  return definition as unknown as ProcessDefinition;
}

function fileOf(path: string, text: string): ProcessFile {
  const parsed = parseProcess(text, null);
  if (parsed.ok) return parsed.file;
  const lines = parsed.problems.map(({ line, message }) => `${path}:${line}: ${message}`);
  throw new BatonError("BATON_INPUT_INVALID", lines.join("\n"));
}

const evidenceMax = 20;
/** The most handoffs to one step. Each of them is bounded too. */
const handoffsMax = 3;
const agentLeftSchema = agentOutputSchema.pick({ text: true, files: true, headSha: true });

type Outputs = { [name: string]: Json | undefined };

class ProcessRun {
  readonly #ctx: ProcessContext;
  readonly #facts: ProcessFacts;
  readonly #file: ProcessFile;
  readonly #children: ReadonlyMap<string, ProcessFile>;
  readonly #branch: Branch;
  readonly #needs: ReadonlyMap<string, readonly string[]>;
  /** Includes steps that failed, if they have an output. */
  readonly #outputs = new Map<string, Outputs>();
  /** Steps at which people approved the plan. */
  readonly #plans = new Set<string>();

  constructor(ctx: ProcessContext, facts: ProcessFacts, file: ProcessFile, children: ReadonlyMap<string, ProcessFile>) {
    this.#ctx = ctx;
    this.#facts = facts;
    this.#file = file;
    this.#children = children;
    this.#branch = new Branch(facts);
    this.#needs = needsOf(file.steps);
  }

  async toEnd(): Promise<YamlOutput> {
    const { steps } = this.#file;
    const results = await runWorkflow(
      this.#ctx,
      new Map(steps.map((step) => [step.id, this.#step(step)])),
      () => this.#ctx,
      (step) => `${step}/pause`,
    );
    const failure = firstFailure(results);
    if (failure !== null) {
      // A failure that is not about the work keeps its code and its remedy.
      if (!isAnswer(failure.error)) throw failure.error;
      return this.#end(this.#branch.failed(failure.error.message), {});
    }
    const outputs = this.#namedOutputs(Object.fromEntries(results));
    const done = [...results.values()].filter(({ outcome }) => outcome === "succeeded").length;
    const rest = [...results.values()].filter(({ outcome }) => outcome === "failed").length;
    const reason = `${done} of ${steps.length} steps succeeded${rest === 0 ? "" : `, ${rest} failed and may`}.`;
    return this.#end(await this.#branch.finish(this.#ctx, reason, asEvidence(outputs)), outputs);
  }

  #end(verdict: Verdict, outputs: Record<string, Json>): YamlOutput {
    return { verdict, outputs, pullRequest: this.#branch.pullRequest, headSha: this.#branch.pushedSha };
  }

  #namedOutputs(results: StepResults): Record<string, Json> {
    const scope = this.#scope(results);
    const named = Object.entries(this.#file.outputs).map(([name, output]) => {
      const value = fill(template(typeof output === "string" ? output : output.value), scope);
      if (typeof output !== "string" && output.schema !== undefined)
        demandFits(`Output \`${name}\` is not what its schema says`, schemaOfType(output.schema), value);
      return [name, value] as const;
    });
    return Object.fromEntries(named);
  }

  #step(step: StepFile): WorkflowStep {
    const { retry, continueOnError } = step;
    return {
      needs: this.#needs.get(step.id) ?? [],
      if: (results) => this.#condition(step, results),
      continueOnError,
      ...(retry === undefined
        ? {}
        : {
            retry: {
              attemptsMax: retry.attempts,
              pauseMs: retry.pauseSeconds * 1_000,
              // Baton has already retried a retryable effect, as often as `retry` says.
              when: (thrown: unknown) => hasCode(thrown, "BATON_STEP_FAILED"),
            },
          }),
      run: async (_, results) => this.#perform(step, this.#scope(results)),
    };
  }

  #condition(step: StepFile, results: StepResults): boolean {
    const status: Status = { success: succeeded(results), failure: !succeeded(results) };
    const { if: condition } = step;
    if (condition === undefined || typeof condition === "boolean") return condition !== false && status.success;
    const read = template(hasExpression(condition) ? condition : `\${{${condition}}}`, true);
    const asks = expressionsOf(read).some(({ functions }) =>
      functions.some((name) => name === "always" || name === "failure"),
    );
    if (!asks && !status.success) return false;
    return isTrue(fill(read, this.#scope(results), status));
  }

  #scope(results: StepResults): Record<string, Json> {
    const { thread, instructions, repository, baseBranch, baseSha, branch, inputs } = this.#facts;
    const steps = Object.entries(results).map(([id, { outcome, error }]): [string, Json] => [
      id,
      { outcome, error: error?.message ?? null, outputs: this.#outputs.get(id) ?? null },
    ]);
    return {
      base: { branch: baseBranch, sha: baseSha },
      branch,
      inputs,
      instructions,
      pullRequest: this.#branch.pullRequest,
      repository: { owner: repository.owner, name: repository.name },
      steps: Object.fromEntries(steps),
      thread: {
        number: thread.number,
        kind: thread.kind,
        title: thread.title,
        body: thread.body,
        author: thread.author,
      },
    };
  }

  async #perform(step: StepFile, scope: Record<string, Json>): Promise<Json> {
    const give = (result: Outputs): void => {
      const own = Object.entries(step.outputs ?? {}).map(([name, text]) => [
        name,
        fill(template(text, false, true), { ...scope, [resultContext]: result as Json }),
      ]);
      this.#outputs.set(step.id, { ...result, ...(Object.fromEntries(own) as Outputs) });
    };
    switch (kindOf(step)) {
      case "agent":
        await this.#agent(step, scope, give);
        break;
      case "shell":
        await this.#shell(step, scope, give);
        break;
      case "gate":
        await this.#gate(step, scope, give);
        break;
      case "breakpoint":
        await this.#breakpoint(step, scope, give);
        break;
      case "ask":
        await this.#ask(step, scope, give);
        break;
      case "sleep":
        await this.#ctx.sleep(step.id, (step.sleep?.minutes ?? 0) * 60_000);
        give({});
        break;
      case "uses":
        await this.#uses(step, scope, give);
        break;
      case "publish":
        await this.#publish(step, scope, give);
        break;
      case null:
        throw new BatonError("BATON_INTERNAL", `The step ${step.id} is of no kind.`);
    }
    return this.#outputs.get(step.id) ?? null;
  }

  /** Each step's commits have a subject of their own. */
  #subject(step: StepFile, title: string): string {
    const { thread, texts } = this.#facts;
    if (texts === undefined) return thread.title.slice(0, 72);
    return (step.title === undefined ? `${step.id}: ${thread.title}` : title).slice(0, 72);
  }

  #common(step: StepFile, scope: Record<string, Json>, otherwise: string): { title: string; stage?: string } {
    const title = step.title === undefined ? otherwise : fillText(template(step.title), scope);
    return { title: title.slice(0, 200) || otherwise, ...this.#stage(step) };
  }

  #stage({ stage }: StepFile): { stage?: string } {
    return stage === undefined ? {} : { stage };
  }

  #options({ timeoutMinutes, retry, priority, group, agent }: StepFile): EffectOptions {
    const costUsd = agent?.expectedUsd;
    const hints: Hints = {
      ...(priority === undefined ? {} : { priority: rankOf("normal") - rankOf(priority) }),
      ...(group === undefined ? {} : { group }),
      ...(costUsd === undefined ? {} : { costUsd }),
    };
    return {
      ...(Object.keys(hints).length === 0 ? {} : { hints }),
      ...(timeoutMinutes === undefined ? {} : { timeoutMs: timeoutMinutes * 60_000 }),
      ...(retry === undefined ? {} : { retry: { attemptsMax: retry.attempts, pauseMs: retry.pauseSeconds * 1_000 } }),
    };
  }

  /** The first commit of a step. */
  #head(step: StepFile, scope: Record<string, Json>): string {
    if (step.at !== undefined) {
      const sha = shaSchema.safeParse(fill(template(step.at), scope));
      if (!sha.success) throw new BatonError("BATON_INPUT_INVALID", `\`at\` of \`${step.id}\` is not a commit.`);
      return this.#branch.present(sha.data);
    }
    const [writer] = lastWriters(this.#file.steps, ancestorsOf(step.id, this.#needs), this.#needs);
    return this.#branch.headOf(writer);
  }

  async #agent(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const agent = step.agent as NonNullable<StepFile["agent"]>;
    const access = accessOf(agent);
    const baseSha = this.#head(step, scope);
    // A step that is skipped or fails leaves its first commit.
    if (access === "write") this.#branch.leave(step.id, baseSha);
    const common = this.#common(step, scope, `Agent: ${step.id}`);
    const work = fillText(template(agent.prompt), scope, asData);
    if (access === "write") await this.#askForPlan(step, work);
    const { choice } = this.#facts;
    const harness = choice.harness ?? agent.harness;
    const model = choice.model ?? agent.model;
    const output = await this.#ctx.agent(
      step.id,
      {
        ...common,
        role: agent.role,
        access,
        baseSha,
        prompt: stepPrompt(this.#facts, work, agent.answer, this.#handoffs(step)),
        // A reviewer sees the whole change.
        ...(access === "read-only" && baseSha !== this.#facts.baseSha ? { reads: [this.#facts.baseSha] } : {}),
        commitSubject: this.#subject(step, common.title),
        ...(harness === undefined ? {} : { harness }),
        ...(model === undefined ? {} : { model }),
        ...(agent.profile === undefined ? {} : { profile: agent.profile }),
        ...(agent.budgetUsd === undefined ? {} : { shareUsd: agent.budgetUsd }),
        ...(agent.turns === undefined ? {} : { maxTurns: agent.turns }),
      },
      this.#options(step),
    );
    if (access === "write") {
      this.#branch.worked(output);
      this.#branch.leave(step.id, output.headSha ?? baseSha);
    }
    const result: Outputs = { ...(output as unknown as Outputs) };
    if (agent.answer !== undefined) {
      const answer = schemaOfType(agent.answer).safeParse(answerIn(output.text));
      if (!answer.success) {
        const problems = answer.error.issues.map(
          ({ path, message }) =>
            `${path.length === 0 ? "the whole" : `\`${path.join(".")}\``}: ${message.replace(/^Invalid input: /, "")}`,
        );
        throw new BatonError(
          "BATON_STEP_FAILED",
          `The agent's answer does not fit \`answer\`: ${problems.join("; ")}. \`retry\` of the step asks again. \`/baton retry\` starts the run again.`,
        );
      }
      result["answer"] = answer.data as Json;
    }
    give(result);
  }

  /** Handoffs of earlier agents, the newest last. An agent whose words the prompt itself includes gives none. */
  #handoffs(step: StepFile): Handoff[] {
    const before = ancestorsOf(step.id, this.#needs);
    const to = step.agent?.role ?? "implement";
    return this.#file.steps
      .flatMap(({ id, agent, title }) => {
        const output = agentLeftSchema.safeParse(this.#outputs.get(id));
        if (agent === undefined || !before.has(id) || !output.success) return [];
        if (step.agent?.prompt.includes(`steps.${id}.outputs`) === true) return [];
        const left = handoff({ role: agent.role, title: title ?? id }, to, output.data);
        return left === null ? [] : [left];
      })
      .slice(-handoffsMax);
  }

  /** branch.BR1: asks once before the first change on a path of steps, unless people have approved its plan. */
  async #askForPlan(step: StepFile, work: string): Promise<void> {
    if (this.#facts.settings.planBreakpoint === "auto" || this.#plans.has(step.id)) return;
    const before = ancestorsOf(step.id, this.#needs);
    if (![...before].some((id) => this.#plans.has(id))) {
      const { decision, feedback } = await this.#ctx.breakpoint(`${step.id}/plan`, {
        title: `Approve what ${step.id} is to do`,
        ...this.#stage(step),
        kind: "plan",
        subject: { text: work },
      });
      if (decision !== "approved")
        throw new BatonError("BATON_STEP_FAILED", `Not approved (${decision}). ${feedback}`.trim());
    }
    this.#plans.add(step.id);
  }

  async #shell(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const command = (step.shell ?? []).map((word) => fillText(template(word), scope));
    const output = await this.#ctx.shell(
      step.id,
      { ...this.#common(step, scope, command.join(" ").slice(0, 200)), command, sha: this.#head(step, scope) },
      this.#options(step),
    );
    give({ ...output });
    if (output.exitCode !== 0)
      throw new BatonError(
        "BATON_STEP_FAILED",
        `\`${command.join(" ").slice(0, 200)}\` ended with ${output.exitCode ?? output.signal ?? "no exit code"}.`,
      );
  }

  async #gate(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const gate = typeof step.gate === "object" ? step.gate : { name: step.gate as string, options: undefined };
    const sha = this.#head(step, scope);
    const { pullRequest } = this.#branch;
    // The gate reads the checks that the rules of the base branch require, unless the file says more.
    const base = gate.name === "checks-green" ? { baseBranch: this.#facts.baseBranch } : {};
    const verdict = await this.#ctx.gate(
      step.id,
      {
        ...this.#common(step, scope, `${gate.name} on ${sha.slice(0, 7)}`),
        gate: gate.name,
        sha,
        ...(pullRequest === null ? {} : { pullRequest }),
        options: { ...base, ...(gate.options as object | undefined) },
      },
      { timeoutMs: this.#facts.settings.checksTimeoutMs * 2, ...this.#options(step) },
    );
    this.#branch.judged(verdict, gate.name, sha);
    give(verdict as unknown as Outputs);
    if (verdict.status !== "passed")
      throw new BatonError("BATON_STEP_FAILED", `\`${gate.name}\` is ${verdict.status}: ${verdict.reason}`);
  }

  async #breakpoint(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const { kind, text } = step.breakpoint as NonNullable<StepFile["breakpoint"]>;
    const { pullRequest } = this.#branch;
    const sha = this.#head(step, scope);
    if (kind === "review" && pullRequest === null)
      throw new BatonError("BATON_STEP_FAILED", "A review needs a pull request, and there is none yet.");
    const output = await this.#ctx.breakpoint(
      step.id,
      {
        ...this.#common(step, scope, kind === "plan" ? "Approve" : `Review of ${sha.slice(0, 7)}`),
        kind,
        subject:
          kind === "review" && pullRequest !== null
            ? { pullRequest, sha }
            : { text: fillText(template(text ?? ""), scope) },
      },
      this.#options(step),
    );
    give(output as unknown as Outputs);
    if (output.decision !== "approved")
      throw new BatonError("BATON_STEP_FAILED", `Not approved (${output.decision}). ${output.feedback}`.trim());
    if (kind === "plan") this.#plans.add(step.id);
    else this.#branch.approved(sha);
  }

  async #ask(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const { question, choices, confirm } = step.ask as NonNullable<StepFile["ask"]>;
    const output = await this.#ctx.ask(
      step.id,
      {
        ...this.#common(step, scope, "Ask"),
        question: fillText(template(question), scope, asRead),
        answerKind: choices !== undefined ? "choice" : confirm ? "confirm" : "text",
        ...(choices === undefined ? {} : { choices }),
      },
      this.#options(step),
    );
    give(output as unknown as Outputs);
  }

  async #uses(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const name = step.uses as string;
    const given = Object.fromEntries(
      Object.entries(step.with ?? {}).map(([key, value]) => [key, filled(value, scope)]),
    );
    const own = this.#children.get(name);
    const head = this.#head(step, scope);
    this.#branch.leave(step.id, head);
    const { inputs: _, ...facts } = this.#facts;
    const before = this.#branch.pushedSha;
    // The child continues from the commit that this run has pushed, not from the first one.
    const now = { ...facts, branchSha: this.#branch.pushedSha, pullRequest: this.#branch.pullRequest };
    const input =
      own === undefined
        ? { ...now, ...given }
        : {
            ...now,
            inputs: demandFits(`\`${name}\` does not take this input`, inputsSchema(own.inputs), given),
          };
    const { choice } = this.#facts;
    const bounds = [step.budgetUsd, own?.budgetUsd].filter((usd) => usd !== undefined);
    const { verdict, output } = await this.#ctx.subprocess(
      step.id,
      {
        ...this.#common(step, scope, `Run ${name}`),
        process: name,
        input: input as Json,
        ...(bounds.length === 0 ? {} : { shareUsd: Math.min(...bounds) }),
        // A person's choice for the whole run is in the child's input, and takes precedence.
        ...(step.harness === undefined || choice.harness !== undefined ? {} : { harness: step.harness }),
        ...(step.model === undefined || choice.model !== undefined ? {} : { model: step.model }),
      },
      this.#options(step),
    );
    const left = z
      .looseObject({ headSha: shaSchema, pullRequest: z.number().int().nullable().optional() })
      .safeParse(output);
    if (left.success && left.data.headSha !== before) {
      this.#branch.leave(step.id, left.data.headSha);
      this.#branch.takenOver(left.data.headSha, left.data.pullRequest ?? null);
      if (head !== (before ?? this.#facts.baseSha))
        throw new BatonError(
          "BATON_STEP_FAILED",
          `\`${name}\` pushed to the branch while work of this run was not pushed yet; publish it before.`,
        );
    }
    const yaml = own === undefined ? null : yamlOutputSchema.safeParse(output);
    give(yaml?.success === true ? yaml.data.outputs : asOutputs(output));
    if (verdict.status !== "passed")
      throw new BatonError("BATON_STEP_FAILED", `\`${name}\` ended as ${verdict.status}: ${verdict.reason}`);
  }

  async #publish(step: StepFile, scope: Record<string, Json>, give: (result: Outputs) => void): Promise<void> {
    const publish = step.publish as NonNullable<StepFile["publish"]>;
    const { thread, settings } = this.#facts;
    const text = (written: string | undefined): string | null =>
      written === undefined ? null : fillText(template(written), scope, asRead);
    if (typeof publish === "object" && publish.comment !== undefined) {
      const body = text(publish.comment) ?? "";
      const common = this.#common(step, scope, "Comment");
      const operation = { operation: "comment" as const, number: thread.number, body };
      give({ ...(await this.#ctx.publish(step.id, { ...common, publish: operation }, this.#options(step))) });
      return;
    }
    const sha = this.#head(step, scope);
    if (publish === "push") {
      const { title } = this.#common(step, scope, `Push ${this.#facts.branch}`);
      const head = await this.#branch.push(this.#ctx, step.id, title, this.#stage(step), sha);
      give({ number: this.#branch.pullRequest, url: null, sha: head });
      return;
    }
    if (publish === "request-review") {
      const { pullRequest } = this.#branch;
      if (pullRequest === null)
        throw new BatonError("BATON_STEP_FAILED", "There is no pull request to ask a review of.");
      const { reviewers, teams } = settings;
      const operation = { operation: "request-review" as const, pullRequest, reviewers, teams };
      const common = this.#common(step, scope, "Request a review");
      if (reviewers.length + teams.length > 0)
        await this.#ctx.publish(step.id, { ...common, publish: operation }, this.#options(step));
      give({ number: pullRequest, url: null, sha: null });
      return;
    }
    const written = typeof publish === "object" ? publish.pullRequest : undefined;
    const { title } = this.#common(step, scope, "Open the pull request");
    const opened = await this.#branch.openPullRequest(this.#ctx, step.id, title, this.#stage(step), sha, {
      title: text(written?.title)?.slice(0, 250) ?? null,
      body: text(written?.body),
      draft: written?.draft ?? false,
    });
    give({ ...opened });
  }
}

/** The failure is about the work, so it is an answer. The run ends, honestly, with "no". */
function isAnswer(error: BatonError): boolean {
  return isBatonError(error) && (error.code === "BATON_STEP_FAILED" || error.code === "BATON_POLICY_DENIED");
}

function template(text: string, withStatus = false, withResult = false): Template {
  return parseTemplate(text, withResult ? [...contextNames, resultContext] : contextNames, withStatus).template;
}

/** Text of others in Baton's own text is readable, and has no effect. */
function asRead(value: Json): string {
  return neutralise(asText(value));
}

function filled(value: Json | undefined, scope: Record<string, Json>): Json {
  if (typeof value === "string") return fill(template(value), scope);
  if (Array.isArray(value)) return value.map((one) => filled(one, scope));
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, scope)]));
}

/** The outputs as people read them. The run's output holds the whole. */
function asEvidence(outputs: Record<string, Json>): Evidence[] {
  const shown = Object.entries(outputs).slice(0, evidenceMax);
  return shown.map(([label, value]) => ({
    label,
    value: cut(asText(value).replaceAll(/\s+/g, " ").trim(), 200, "…") || "(empty)",
  }));
}

function asOutputs(output: Json): Outputs {
  return typeof output === "object" && output !== null && !Array.isArray(output) ? output : { value: output };
}
