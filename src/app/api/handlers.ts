/** The handlers of the HTTP API, one for each row of `table.ts`. Policy is in `caller.ts`, order in `serve.ts`. */
import { defaultSettings, type Settings } from "../../config/schema.ts";
import { isOver } from "../../core/decide.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { questionsOf } from "../../core/questions.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import { stepStatus, stepVerdict } from "../../core/step-verdict.ts";
import { addTokens, type Json, noTokens, type Repository, type RunId, type Tokens } from "../../core/vocabulary.ts";
import { rootRun } from "../../intake/handle-comment.ts";
import { handleRequest, note } from "../../intake/handle-request.ts";
import { dayOf } from "../../money/allowance.ts";
import type { LedgerRow } from "../../ports/store.ts";
import { readDocument } from "../../prompt/document.ts";
import { inspectPrompt } from "../../prompt/inspect.ts";
import { circuitState } from "../../routing/circuit.ts";
import { circuitKey } from "../../routing/rank.ts";
import { runIdOf } from "../../runner/create-run.ts";
import { dayLeft } from "../../runner/day-budget.ts";
import type { Dependencies } from "../../runner/dependencies.ts";
import { threadKeyOf } from "../../runner/ledger-rows.ts";
import { loadSettings } from "../../runner/load-settings.ts";
import { circuitOf } from "../../runner/perform/route.ts";
import { promptsOf, transcriptOf } from "../../runner/run-texts.ts";
import type { Runner } from "../../runner/runner.ts";
import type { RunPosition, Runs } from "../../runner/runs.ts";
import { Schedules } from "../../runner/schedules.ts";
import { settingsOf } from "../../runner/settings-of.ts";
import { compareRuns } from "../../summary/compare.ts";
import { health } from "../../summary/health.ts";
import { summarise } from "../../summary/summary.ts";
import { answerSentence } from "../../summary/waiting.ts";
import { judgementOf } from "../../thread/render/reasons.ts";
import { type Access, type Caller, type Demand, hidden } from "./caller.ts";
import { cursorOf, readCursor } from "./cursor.ts";
import { parseRun } from "./parse-run.ts";
import type { Repositories } from "./repositories.ts";
import { type AnswerOf, type Given, type Route, type RouteName, routes } from "./table.ts";

export interface ApiParts {
  dependencies: Dependencies;
  runner: Runner;
  runs: Runs;
  repositories: Repositories;
}

export interface Asked extends ApiParts {
  access: Access;
  /** Equal for a repeated request. Empty for a GET. */
  operationKey: string;
  /** The same request was carried out before. */
  isRepeated: boolean;
}

type Handler<Name extends RouteName> = (asked: Asked, given: Given<Name>) => Promise<AnswerOf<Name>>;
/** The stream has a handler of its own (`event-stream.ts`). */
type Answered = Exclude<RouteName, "streamEvents">;

export const handlers: { readonly [Name in Answered]: Handler<Name> } = {
  async me({ access: { caller } }) {
    const { kind, person } = caller;
    if (caller.kind !== "token")
      return { kind, name: kind, login: person.login, scope: "admin", repositories: [], owners: [] };
    const { name, scope, repositories, owners } = caller;
    return { kind, name, login: person.login, scope, repositories: [...repositories], owners: [...owners] };
  },

  async listRuns(asked, { query }) {
    const { cursor, ...filter } = query;
    const now = asked.dependencies.clock.now();
    const { runs, next } = await pageOfRuns(asked, "listRuns", filter, cursor);
    return { items: runs.map((state) => summarise(state, now)), next };
  },

  async createRun(asked, { body }) {
    const repository = await knownRepository(asked, body.repository);
    await demandThere(asked, repository, "createRun");
    const command = parseRun(body.text);
    await handleRequest(asked.dependencies, asked.runner, {
      ...(await requestOf(asked, repository)),
      number: body.number,
      command,
      runId: null,
    });
    return asked.runs.read(runIdOf(asked.operationKey));
  },

  async readRun(asked, { at }) {
    return summarise(await runOf(asked, at.run, "readRun"), asked.dependencies.clock.now());
  },

  cancelRun: (asked, { at, body }) => steer(asked, at.run, "cancelRun", body.reason),
  pauseRun: (asked, { at, body }) => steer(asked, at.run, "pauseRun", body.reason),
  resumeRun: (asked, { at }) => steer(asked, at.run, "resumeRun", ""),
  advanceRun: (asked, { at }) => steer(asked, at.run, "advanceRun", ""),
  topUpRun: (asked, { at, body }) => steer(asked, at.run, "topUpRun", "", { positional: [body.addUsd] }),

  async retryRun(asked, { at, body }) {
    const options = body.budgetUsd === undefined ? {} : { budget: body.budgetUsd };
    await steer(asked, at.run, "retryRun", "", { options });
    return asked.runs.read(runIdOf(asked.operationKey));
  },

  async eraseRun(asked, { at }) {
    const state = await runOf(asked, at.run, "eraseRun");
    const { repository, number } = state.thread;
    const erased = state.erased ? await asked.runs.read(state.runId) : await asked.runs.erase(state.runId);
    const request = { ...(await requestOf(asked, repository)), number, command: commandOf("erase", "") };
    await note(asked.dependencies, request, `reply:${asked.operationKey}`, null);
    return erased;
  },

  async compareRuns(asked, { at }) {
    const one = await runOf(asked, at.run, "compareRuns");
    return compareRuns(one, await runOf(asked, at.other, "compareRuns"));
  },

  async listEffects(asked, { at, query }) {
    const { effects } = await runOf(asked, at.run, "listEffects");
    const found = [...effects.values()].filter(
      (effect) =>
        (query.kind === undefined || effect.kind === query.kind) &&
        (query.status === undefined || stepStatus(effect) === query.status),
    );
    return { items: found.map(effectShown) };
  },

  async readEffect(asked, { at }) {
    const { effects } = await runOf(asked, at.run, "readEffect");
    const found = effects.get(at.step as never);
    if (found === undefined) throw hidden(`step "${at.step.slice(0, 60)}" of this run`);
    return effectShown(found);
  },

  async listQuestions(asked, { query }) {
    const { cursor, ...filter } = query;
    const { runs, next } = await pageOfRuns(asked, "listQuestions", { ...filter, active: true }, cursor);
    return { items: runs.flatMap((state) => questionsShown(state).filter(({ open }) => open)), next };
  },

  async listRunQuestions(asked, { at }) {
    return { items: questionsShown(await runOf(asked, at.run, "listRunQuestions")) };
  },

  async readQuestion(asked, { at }) {
    return questionNamed(await runOf(asked, at.run, "readQuestion"), at.question);
  },

  async answerQuestion(asked, { at, body }) {
    const { id } = questionNamed(await runOf(asked, at.run, "answerQuestion"), at.question);
    return steer(asked, at.run, "answerQuestion", `${id} ${body.text}`);
  },

  async approveQuestion(asked, { at, body }) {
    const { id } = questionNamed(await runOf(asked, at.run, "approveQuestion"), at.question);
    return steer(asked, at.run, "approveQuestion", `${id} ${body.comment}`);
  },

  async rejectQuestion(asked, { at, body }) {
    const { id } = questionNamed(await runOf(asked, at.run, "rejectQuestion"), at.question);
    return steer(asked, at.run, "rejectQuestion", `${id} ${body.reason}`);
  },

  async listThreads(asked, { query }) {
    const { cursor, ...filter } = query;
    const { runs, next } = await pageOfRuns(asked, "listThreads", filter, cursor);
    const items = [];
    for (const state of runs) {
      const [newest] = await asked.dependencies.store.runs({ threadKey: threadKeyOf(state), limit: 1 });
      // The thread stands at its newest run only, so no page repeats it.
      if (newest?.runId === state.runId) items.push(await threadShown(asked, state));
    }
    return { items, next };
  },

  async readThread(asked, { at }) {
    const what = `thread ${at.owner}/${at.name}#${at.number} with runs`;
    const repository = await knownRepository(asked, `${at.owner}/${at.name}`, what);
    await demandThere(asked, repository, "readThread", what);
    const [newest] = await asked.dependencies.store.runs({ threadKey: `${repository.id}#${at.number}`, limit: 1 });
    const state = newest === undefined ? null : await asked.runner.state(newest.runId);
    if (state === null) throw hidden(what);
    return threadShown(asked, state);
  },

  readCosts: (asked, { query }) => costs(asked, query),

  async readRunCosts(asked, { at }) {
    const state = await runOf(asked, at.run, "readRunCosts");
    const items = [...state.effects.values()].flatMap(({ key, attempts }) =>
      attempts.flatMap(({ attempt, usage }) =>
        usage.map(({ harness, model, tokens, costUsd }) => ({ step: key, attempt, harness, model, tokens, costUsd })),
      ),
    );
    return { money: summarise(state, asked.dependencies.clock.now()).money, items };
  },

  async readBudget(asked, { at }) {
    const what = `repository ${at.owner}/${at.name}`;
    const repository = await knownRepository(asked, `${at.owner}/${at.name}`, what);
    const { budget } = await demandThere(asked, repository, "readBudget", what);
    const { leftUsd, until, reason } = await dayLeft(asked.dependencies, repository.id, budget);
    return { dayUsd: budget.dayUsd, leftUsd: Number.isFinite(leftUsd) ? leftUsd : null, until, reason };
  },

  async readDecisions(asked, { at }) {
    const state = await runOf(asked, at.run, "readDecisions");
    return {
      decisions: state.decisions,
      judged: [...state.effects.values()].flatMap((effect) => {
        const verdict = judgementOf(effect);
        return verdict === null ? [] : [{ step: effect.key, verdict }];
      }),
      health: health(state, asked.dependencies.clock.now()),
    };
  },

  async listSchedules(asked, { query }) {
    const visible = new Set((await visibleRepositories(asked, "listSchedules", query)).map(nameOf));
    const all = await new Schedules(asked.dependencies).list();
    return { items: all.filter(({ repository }) => visible.has(repository)) };
  },

  runSchedule: (asked, { at }) => changeSchedule(asked, at, "runSchedule"),
  pauseSchedule: (asked, { at }) => changeSchedule(asked, at, "pauseSchedule"),
  resumeSchedule: (asked, { at }) => changeSchedule(asked, at, "resumeSchedule"),

  async listHarnesses({ dependencies }) {
    const { store, clock, harnesses } = dependencies;
    const items = [];
    for (const { name, defaultModel, capabilities } of harnesses.values()) {
      const circuit = await circuitOf(store, circuitKey(name, null));
      items.push({
        name,
        defaultModel,
        capabilities,
        circuit: circuit === null ? ("closed" as const) : circuitState(circuit, clock.now()),
        openUntil: circuit?.openUntil ?? null,
      });
    }
    return { items };
  },

  async listProcesses({ dependencies: { processes } }) {
    const items = processes.names().map((name) => {
      const { version, summary, stages } = processes.latest(name);
      return { name, version, summary, stages };
    });
    return { items };
  },

  async readTranscript(asked, { at, query }) {
    const { runId } = await runOf(asked, at.run, "readTranscript");
    const { store, redact } = asked.dependencies;
    const kept = transcriptOf(await store.read(runId), at.step, query.attempt ?? null);
    const text = kept.transcriptId === null ? null : await store.blob(kept.transcriptId);
    if (text === null) throw hidden(`transcript of "${kept.key}", attempt ${kept.attempt}`);
    return { step: kept.key, attempt: kept.attempt, transcript: redact(text) };
  },

  async readPrompt(asked, { at, query }) {
    const state = await runOf(asked, at.run, "readPrompt");
    const { store, redact } = asked.dependencies;
    const { prompted } = promptsOf(await store.read(state.runId), at.step, query.attempt ?? null);
    const document = readDocument((await store.blob(prompted.promptId)) ?? "");
    if (document === null) throw hidden(`prompt of "${at.step.slice(0, 60)}"`);
    const sections = document.sections.map((one) => ({ ...one, text: redact(one.text) }));
    const told = inspectPrompt({ prompted, document: { ...document, sections } }, null, state);
    return {
      step: told.step,
      attempt: told.attempt,
      harness: told.harness,
      model: told.model,
      cacheBoundary: told.cacheBoundary,
      strata: told.strata,
      system: told.system,
      user: told.user,
    };
  },

  async readText(asked, { at }) {
    const { runId } = await runOf(asked, at.run, "readText");
    const { store, redact } = asked.dependencies;
    // Only a text of this run: a hash alone permits nothing.
    const isNamed = (await store.read(runId)).some(({ event }) => JSON.stringify(event).includes(at.text));
    const text = isNamed ? await store.blob(at.text) : null;
    if (text === null) throw hidden(`text "${at.text}" of this run`);
    return { text: redact(text) };
  },

  async readJournal(asked, { at, query }) {
    const { runId } = await runOf(asked, at.run, "readJournal");
    const later = (await asked.dependencies.store.read(runId)).filter(({ position }) => position > query.after);
    const items = later.slice(0, query.limit);
    return { items, next: later.length > items.length ? (items.at(-1)?.position ?? null) : null };
  },
};

/** The run, if the caller may do this with it (caller.AX1). Only runs that the caller may read count for a beginning of an id. */
export async function runOf(asked: Asked, word: string, name: RouteName): Promise<RunState> {
  const what = `run "${word.slice(0, 60)}"`;
  const ids = await asked.runs.candidates(word);
  const visible: RunState[] = [];
  for (const runId of ids) {
    const state = await asked.runner.state(runId);
    if (state !== null && (await asked.access.actor(state.thread.repository)).permission !== "none")
      visible.push(state);
  }
  const [state, other] = visible;
  if (state === undefined) throw hidden(what);
  if (other !== undefined)
    throw new BatonError("BATON_INPUT_INVALID", `Several runs begin with "${word.slice(0, 60)}". Write the whole id.`);
  await asked.access.demand(state.thread.repository, demandOf(name), settingsOf(state), what);
  return state;
}

function demandOf(name: RouteName): Demand {
  const { demand } = routes[name];
  if (demand === null) throw new TypeError(`${name} is about no repository.`);
  return demand;
}

/** With the settings of its default branch. */
async function demandThere(
  { access, dependencies }: Asked,
  repository: Repository,
  name: RouteName,
  what = `repository ${nameOf(repository)}`,
): Promise<Settings> {
  // caller.AX1, before anything is read there.
  if ((await access.actor(repository)).permission === "none") throw hidden(what);
  const github = await dependencies.github.installation(repository.installationId);
  const { settings } = await loadSettings(github, repository, repository.defaultBranch);
  await access.demand(repository, demandOf(name), settings, what);
  return settings;
}

async function knownRepository(
  { access, repositories }: Asked,
  name: string,
  what = `repository ${name}`,
): Promise<Repository> {
  const [owner = "", short = ""] = name.split("/");
  if (!access.reaches({ owner, name: short })) throw hidden(what);
  const found = await repositories.named(name);
  if (found === null) throw hidden(what);
  return found;
}

/** Repositories of a filter that the caller may read. A filter is needed, because each one costs a call to GitHub. */
async function visibleRepositories(
  asked: Asked,
  name: RouteName,
  { repository, owner }: { repository?: string | undefined; owner?: string | undefined },
): Promise<Repository[]> {
  const { access, repositories } = asked;
  const { caller } = access;
  const reached = (await repositories.all()).filter(
    (one) =>
      access.reaches(one) &&
      (repository === undefined || nameOf(one).toLowerCase() === repository.toLowerCase()) &&
      (owner === undefined || one.owner.toLowerCase() === owner.toLowerCase()),
  );
  if (reached.length > limits.apiRepositoriesPerPageMax && caller.kind !== "operator")
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `That is about ${reached.length} repositories. Name one with \`repository\`.`,
    );
  const visible: Repository[] = [];
  for (const one of reached) {
    const verdict = await access.verdict(one, demandOf(name), defaultSettings);
    if (verdict?.status === "passed") visible.push(one);
  }
  return visible;
}

async function pageOfRuns(
  asked: Asked,
  name: RouteName,
  filter: Parameters<Runs["page"]>[0] & object,
  cursor: string | undefined,
): Promise<{ runs: RunState[]; next: string | null }> {
  const { access } = asked;
  const scope = { ...filter, limit: 0, caller: access.caller.id, list: name } as unknown as Json;
  const after: RunPosition | null = cursor === undefined ? null : readCursor(cursor, scope);
  const { runs, next } = await asked.runs.page(filter, {
    after,
    rowsMax: limits.apiRowsPerPageMax,
    repositoriesMax: limits.apiRepositoriesPerPageMax,
    mayRead: async (state) =>
      (await access.verdict(state.thread.repository, demandOf(name), settingsOf(state)))?.status === "passed",
  });
  return { runs, next: next === null ? null : cursorOf(next, scope) };
}

const commandsOf: Partial<Record<RouteName, string>> = {
  cancelRun: "cancel",
  pauseRun: "pause",
  resumeRun: "resume",
  advanceRun: "refresh",
  topUpRun: "budget",
  retryRun: "retry",
  answerQuestion: "answer",
  approveQuestion: "approve",
  rejectQuestion: "reject",
};

async function steer(
  asked: Asked,
  word: string,
  name: RouteName,
  text: string,
  more: { positional?: number[]; options?: Record<string, number> } = {},
) {
  const found = await runOf(asked, word, name);
  const { approves }: Route = routes[name];
  if (approves === true && asked.access.caller.kind !== "person")
    throw new BatonError(
      "BATON_POLICY_DENIED",
      "An approval is the decision of a person. Approve in the thread, or sign in with GitHub.",
    );
  const answers = name === "answerQuestion" || name === "approveQuestion" || name === "rejectQuestion";
  // People answer a child run's questions in the thread of the run that they began.
  const state = answers ? await rootRun(asked.dependencies, found.runId) : found;
  const { repository, number } = state.thread;
  if (state.parent !== null)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `The run is a part of the run \`${state.parent.runId}\`, which people steer. Send the request to that run.`,
    );
  if (name !== "retryRun" && isOver(state) && !state.handled.has(asked.operationKey))
    throw new BatonError("BATON_NOT_ASKED", `The run is ${state.status}, so there is nothing to change.`);
  await handleRequest(asked.dependencies, asked.runner, {
    ...(await requestOf(asked, repository)),
    number,
    command: { ...commandOf(commandsOf[name] ?? name, text), ...more },
    runId: state.runId,
  });
  return asked.runs.read(state.runId);
}

function commandOf(name: string, text: string) {
  return { kind: "command" as const, name, positional: [], options: {}, text };
}

async function requestOf({ access, operationKey }: Asked, repository: Repository) {
  const { caller } = access;
  return {
    repository,
    actor: await access.actor(repository),
    way: wayOf(caller),
    operationKey,
  };
}

/** As the thread shows it. */
function wayOf(caller: Caller): string {
  switch (caller.kind) {
    case "token":
      return `through the API, with the token \`${caller.name}\``;
    case "person":
      return "through the API, signed in with GitHub";
    case "operator":
      return "on the machine of this Baton";
  }
}

async function changeSchedule(
  asked: Asked,
  at: Given<"runSchedule">["at"],
  name: "runSchedule" | "pauseSchedule" | "resumeSchedule",
): Promise<AnswerOf<"runSchedule">> {
  const what = `repository ${at.owner}/${at.name}`;
  const repository = await knownRepository(asked, `${at.owner}/${at.name}`, what);
  await demandThere(asked, repository, name, what);
  const schedules = new Schedules(asked.dependencies);
  const full = nameOf(repository);
  const actor = await asked.access.actor(repository);
  // These have no journal that would know a repetition.
  if (asked.isRepeated) return scheduleNamed(schedules, full, at.schedule);
  if (name === "runSchedule") await schedules.run(at.schedule, full, actor);
  else if (name === "pauseSchedule") await schedules.pause(at.schedule, full, `@${actor.login}`);
  else await schedules.resume(at.schedule, full);
  return scheduleNamed(schedules, full, at.schedule);
}

async function scheduleNamed(schedules: Schedules, repository: string, name: string) {
  const found = (await schedules.list()).find((one) => one.repository === repository && one.name === name);
  if (found === undefined) throw hidden(`schedule "${name.slice(0, 60)}" of ${repository}`);
  return found;
}

function nameOf({ owner, name }: Pick<Repository, "owner" | "name">): string {
  return `${owner}/${name}`;
}

async function threadShown({ dependencies }: Asked, state: RunState): Promise<AnswerOf<"readThread">> {
  const { store } = dependencies;
  const rows = await store.runs({ threadKey: threadKeyOf(state), limit: 20 });
  const active = await store.activeRun(threadKeyOf(state));
  const { repository, number, kind } = state.thread;
  const runs = await Promise.all(
    rows.map(async ({ runId, process, status, createdAt, updatedAt }) => ({
      runId,
      process,
      status,
      createdAt,
      updatedAt,
      spentUsd: spentOf(await store.ledger({ runId })),
    })),
  );
  return { repository: nameOf(repository), number, kind, activeRun: active, runs };
}

function spentOf(rows: readonly LedgerRow[]): number {
  return rows.filter(({ kind }) => kind === "settle").reduce((sum, { usd }) => sum + usd, 0);
}

function effectShown(effect: EffectState): AnswerOf<"readEffect"> {
  const { key, kind, title, stage, requestedAt, endedAt, error, attempts } = effect;
  return {
    key,
    kind,
    title,
    stage,
    status: stepStatus(effect),
    requestedAt,
    endedAt,
    verdict: stepVerdict(effect),
    error: error === null ? null : { code: error.code, message: error.message },
    attempts: attempts.map((one) => ({
      attempt: one.attempt,
      startedAt: one.startedAt,
      endedAt: one.endedAt,
      harness: one.agent?.harness ?? null,
      model: one.agent?.model ?? null,
      costUsd: one.usage.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0),
      error: one.error === null ? null : { code: one.error.code, message: one.error.message },
    })),
  };
}

type Question = AnswerOf<"readQuestion">;

function questionsShown(state: RunState): Question[] {
  const { repository, number } = state.thread;
  return questionsOf(state).map(({ id, effect, open }) => ({
    id,
    run: state.runId,
    repository: nameOf(repository),
    number,
    open,
    ...(effect === null
      ? {
          kind: "money" as const,
          title: "The budget is used up",
          text: "",
          choices: null,
          askedAt: state.updatedAt,
          how: "Reply `/baton budget +2` to add 2 USD.",
        }
      : aboutEffect(state, effect)),
  }));
}

function aboutEffect(
  state: RunState,
  effect: EffectState,
): Pick<Question, "kind" | "title" | "text" | "choices" | "askedAt" | "how"> {
  const common = { title: effect.title, askedAt: effect.requestedAt };
  if (effect.kind === "ask") {
    const { question: text, choices, answerKind } = effect.input;
    const given = choices ?? (answerKind === "confirm" ? ["yes", "no"] : null);
    return { ...common, kind: "answer", text, choices: given, how: answerSentence(state, effect) };
  }
  const { kind, subject } = effect.kind === "breakpoint" ? effect.input : { kind: "plan" as const, subject: {} };
  const isReview = kind === "review" || kind === "merge";
  return {
    ...common,
    kind: isReview ? "review" : "approval",
    text: subject.text ?? "",
    choices: null,
    how: isReview ? `Review #${subject.pullRequest ?? number(state)} on GitHub.` : answerSentence(state, effect),
  };
}

function number({ thread }: RunState): number {
  return thread.number;
}

function questionNamed(state: RunState, id: string): Question {
  const found = questionsShown(state).find((one) => one.id === id);
  if (found === undefined) throw hidden(`question "${id.slice(0, 60)}" of this run`);
  return found;
}

async function costs(asked: Asked, query: Given<"readCosts">["query"]): Promise<AnswerOf<"readCosts">> {
  const { store } = asked.dependencies;
  const { since, until = Number.POSITIVE_INFINITY, by } = query;
  const sums = new Map<string, { usd: number; tokens: Tokens }>();
  const processes = new Map<RunId, string>();
  let totalUsd = 0;
  for (const repository of await visibleRepositories(asked, "readCosts", query)) {
    const rows = await store.ledger({ repositoryId: repository.id, since });
    for (const row of rows.filter(({ kind, at }) => kind === "settle" && at < until)) {
      if (by === "process" && !processes.has(row.runId))
        processes.set(row.runId, (await store.run(row.runId))?.process ?? "unknown");
      const name = nameOfRow(row, by, repository, processes.get(row.runId) ?? "unknown");
      const { usd, tokens } = sums.get(name) ?? { usd: 0, tokens: noTokens };
      const { input, output, cacheRead, cacheWrite } = row;
      sums.set(name, { usd: usd + row.usd, tokens: addTokens(tokens, { input, output, cacheRead, cacheWrite }) });
      totalUsd += row.usd;
    }
  }
  const items = [...sums].map(([name, sum]) => ({ name, ...sum }));
  return { totalUsd, items: items.toSorted((a, b) => (by === "day" ? (a.name < b.name ? -1 : 1) : b.usd - a.usd)) };
}

function nameOfRow(
  row: LedgerRow,
  by: Given<"readCosts">["query"]["by"],
  repository: Repository,
  process: string,
): string {
  switch (by) {
    case "day":
      return dayOf(row.at, "UTC").name;
    case "repository":
      return nameOf(repository);
    case "person":
      return row.person ?? "unknown";
    case "harness":
      return row.harness === "" ? "none" : row.harness;
    case "model":
      return row.model === "" ? "none" : row.model;
    case "process":
      return process;
    case "run":
      return row.runId;
  }
}
