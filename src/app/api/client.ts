/** The HTTP API as the command line uses it: the same operations as over the socket, as far as programs may do them. */
import { randomUUID } from "node:crypto";
import { BatonError, type ErrorData, errorCodes, fromData } from "../../core/errors.ts";
import type { StoredEvent } from "../../core/event.ts";
import { product } from "../../core/product.ts";
import { newCircuit } from "../../routing/circuit.ts";
import type { RunSummary } from "../../summary/summary.ts";
import type { Operator } from "../control/protocol.ts";
import type { Problem } from "./problem.ts";
import { type AnswerOf, type RouteName, routes } from "./table.ts";

const answerMs = 120_000;
const pageMax = 200;

export interface ServerAddress {
  url: string;
  token: string;
}

type Parameters = Record<string, string | number | boolean | undefined>;

interface Request {
  at?: Record<string, string | number>;
  query?: Parameters;
  body?: object;
}

/** Calls one route. Throws the error that the problem detail names. */
async function call<Name extends RouteName>(
  { url, token }: ServerAddress,
  name: Name,
  { at = {}, query = {}, body }: Request = {},
): Promise<AnswerOf<Name>> {
  const { method, path } = routes[name];
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, one: string) => encodeURIComponent(`${at[one] ?? ""}`));
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([key, value]): [string, string] => [key, `${value}`])).toString();
  const request = {
    method,
    signal: AbortSignal.timeout(answerMs),
    headers: {
      authorization: `Bearer ${token}`,
      "user-agent": `baton/${product.version}`,
      ...(method === "GET" ? {} : { "content-type": "application/json", "idempotency-key": randomUUID() }),
    },
    ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
  };
  const address = `${url.replace(/\/+$/, "")}${filled}${search === "" ? "" : `?${search}`}`;
  // The same key again is the same request, so a lost answer is worth one more try.
  const response = await fetch(address, request)
    .catch(() => fetch(address, request))
    .catch((cause: unknown) => {
      throw new BatonError("BATON_UNREACHABLE", `The Baton at ${url} does not answer.`, { cause });
    });
  const answer = (await response.json().catch(() => ({}))) as AnswerOf<Name> & Partial<Problem>;
  if (response.ok) return answer;
  throw errorOf(answer, response.status, url);
}

function errorOf({ code, detail }: Partial<Problem>, status: number, url: string): BatonError {
  if (code === undefined || !errorCodes.includes(code))
    return new BatonError("BATON_UNREACHABLE", `${url} answers ${status}, and not as a Baton does.`);
  return fromData({ code, message: detail ?? code } satisfies ErrorData);
}

/** What the API has. Other operations need the machine of Baton. */
export function serverOperator(server: ServerAddress): Operator {
  const here = (what: string) => (): Promise<never> =>
    Promise.reject(
      new BatonError("BATON_INPUT_INVALID", `The API cannot ${what}. Run the command on Baton's machine.`),
    );
  const schedule = async (
    name: "runSchedule" | "pauseSchedule" | "resumeSchedule",
    named: string,
    repository: string | null,
  ): Promise<string> => {
    const { items } = await call(server, "listSchedules", repository === null ? {} : { query: { repository } });
    const [only, other] = items.filter((one) => one.name === named);
    if (only === undefined || other !== undefined)
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `${only === undefined ? "No repository has" : "Several repositories have"} a schedule "${named.slice(0, 60)}". Name the repository with --repository.`,
      );
    const [owner = "", short = ""] = only.repository.split("/");
    await call(server, name, { at: { owner, name: short, schedule: named } });
    return `${only.repository}: ${named}`;
  };
  return {
    async list({ limit = 50, ...filter } = {}) {
      const runs: RunSummary[] = [];
      let cursor: string | undefined;
      do {
        const query = { ...filter, limit: Math.min(limit - runs.length, pageMax), cursor };
        const { items, next } = await call(server, "listRuns", { query });
        runs.push(...(items as RunSummary[]));
        cursor = next ?? undefined;
      } while (cursor !== undefined && runs.length < limit);
      return runs;
    },
    read: async (run) => (await call(server, "readRun", { at: { run } })) as RunSummary,
    async events(run) {
      const events: StoredEvent[] = [];
      let after: number | null = 0;
      while (after !== null) {
        const page: AnswerOf<"readJournal"> = await call(server, "readJournal", {
          at: { run },
          query: { after, limit: 1_000 },
        });
        events.push(...(page.items as StoredEvent[]));
        after = page.next;
      }
      return events;
    },
    blob: async (run, text) => (await call(server, "readText", { at: { run, text } })).text,
    cancel: async (run, _, reason) =>
      (await call(server, "cancelRun", { at: { run }, body: { reason } })) as RunSummary,
    retry: async (run) => (await call(server, "retryRun", { at: { run } })) as RunSummary,
    erase: async (run) => (await call(server, "eraseRun", { at: { run } })) as RunSummary,
    start: async ({ repository, number, text }) =>
      (await call(server, "createRun", { body: { repository, number, text } })).runId,
    async circuit(name) {
      const found = (await call(server, "listHarnesses")).items.find((one) => one.name === name);
      return found?.openUntil == null ? null : { ...newCircuit, openUntil: found.openUntil };
    },
    schedules: {
      list: async () => (await call(server, "listSchedules")).items,
      run: (name, repository) => schedule("runSchedule", name, repository),
      pause: (name, repository) => schedule("pauseSchedule", name, repository),
      resume: (name, repository) => schedule("resumeSchedule", name, repository),
    },
    signIn: here("sign a browser in"),
    backup: here("back up the database"),
    sweeps: { run: here("ask for sweeps"), stats: here("count sweeps") },
    setups: { ask: here("ask for set-ups"), list: here("list set-ups") },
    tokens: { create: here("create tokens"), list: here("list tokens"), revoke: here("revoke tokens") },
  };
}
