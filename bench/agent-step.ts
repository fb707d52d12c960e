/**
 * `agentStep`: one agent step with its real performer, by its cost to PostgreSQL. The harness is scripted, and its requests to
 * the model pass the real proxy.
 */
import { openPostgres } from "../src/adapters/database/open.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import { json, startModelService } from "../test/fakes/model-service.ts";
import { createPostgresDatabase } from "../test/fakes/postgres.ts";
import { noPostgres } from "./databases.ts";
import { countStatements } from "./engine/statements.ts";
import { driveTurns, turnsCount } from "./engine/turns.ts";
import { type Bench, figure, type Outcome } from "./figure.ts";

const targets = {
  "agentStep.statements": 12,
  "agentStep.syncs": 3,
  "agentStep.requestStatements": 1,
  "agentStep.requestSyncs": 1,
  "agentStep.cpuMs": null,
} as const;
type Name = keyof typeof targets;
const names = Object.keys(targets) as Name[];
const furtherRequests = 2;

export const agentStep: Bench = {
  name: "agent-step",
  usesPostgres: true,
  summary: "an agent step with one model request, by statements and commits on PostgreSQL",
  figures: names,
  async run({ postgresUrl }) {
    const outcome: Outcome = { figures: [], skipped: [] };
    if (postgresUrl === null) {
      outcome.skipped.push(...names.map((name) => ({ name, reason: noPostgres })));
      return outcome;
    }
    // Not counted: code that runs for the first time.
    await costOf(postgresUrl, 1);
    const [one, more] = [await costOf(postgresUrl, 1), await costOf(postgresUrl, 1 + furtherRequests)];
    const add = (name: Name, unit: "count" | "ms", value: number): void =>
      void outcome.figures.push(figure({ name, unit, value, target: targets[name] }));
    add("agentStep.statements", "count", one.statements);
    add("agentStep.syncs", "count", one.commits);
    add("agentStep.requestStatements", "count", (more.statements - one.statements) / furtherRequests);
    add("agentStep.requestSyncs", "count", (more.commits - one.commits) / furtherRequests);
    add("agentStep.cpuMs", "ms", one.cpuMs);
    return outcome;
  },
};

/** Of one step, on average. The start and the end of the run count. */
async function costOf(
  serverUrl: string,
  requests: number,
): Promise<{ statements: number; commits: number; cpuMs: number }> {
  await using resources = new AsyncDisposableStack();
  const { url, drop } = await createPostgresDatabase(serverUrl);
  resources.defer(drop);
  const database = await openPostgres(url, silentLog);
  resources.defer(() => database.close());
  resources.defer(() => database.queue.stop(0));
  const service = await startModelService();
  resources.defer(() => service.close());
  const usage = { input_tokens: 10, output_tokens: 10 };
  service.answers(({ body: { model } }, outgoing) =>
    json(outgoing, 200, { type: "message", model, content: [], stop_reason: "end_turn", usage }),
  );
  const began = process.cpuUsage();
  using counts = countStatements();
  await driveTurns(database, { crashesAt: null, requests, models: service.proxy });
  const { user, system } = process.cpuUsage(began);
  return {
    // The benchmark itself reads each prompt back.
    statements: counts.statements / turnsCount - 1,
    commits: counts.commits / turnsCount,
    cpuMs: (user + system) / 1_000 / turnsCount,
  };
}
