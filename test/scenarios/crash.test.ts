/**
 * kill -9 before and after each durable write of the happy path, then restart. It goes on until every kind of write has had
 * a death on both sides. At the end: nothing lost, nothing twice.
 *
 * Two worlds run in parallel: in one, the App dies before its writes, in the other after them. A world takes as many issues
 * as it needs. By design, an agent that is lost five times ends its run.
 * CRASH_EXHAUSTIVE=1 also distinguishes writes by their contents (`effect.started [implement]`): some minutes.
 * CRASH_TRACE=1 prints each death.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName, type Stage, setStage } from "../../packages/local-github/demo/world.ts";
import { openPglite } from "../../src/adapters/database/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { fold } from "../../src/core/fold.ts";
import { builtProgram } from "../built-program.ts";
import { patienceMs } from "../patience.ts";
import { BatonProcess } from "./baton-process.ts";
import { happyPathSites, type Moment } from "./crash-sites.ts";

const exhaustive = process.env["CRASH_EXHAUSTIVE"] !== undefined;
const issuesMax = exhaustive ? 60 : 8;
const quietMs = 1_500;
const childPath = await builtProgram(fileURLToPath(new URL("./crash-child.ts", import.meta.url)));
const config = "version: 1\nharness: { default: command }\nmerge: auto\napprovals: { reviewers: [bob] }\n";

const visits = new Map<Moment, string[]>();
afterAll(() => {
  const mark = (moment: Moment, site: string): string =>
    visits.get(moment)?.some((place) => place === site || place.startsWith(`${site} [`)) ? "yes" : "-";
  const sites = new Set([...happyPathSites, ...[...visits.values()].flat().map((place) => place.split(" [")[0] ?? "")]);
  const rows = [...sites].map(
    (site) => `${site.padEnd(45)} ${mark("before", site).padEnd(6)} ${mark("after", site).padEnd(6)}`,
  );
  process.stdout.write(`${["", `${"killed at".padEnd(45)} before after`, ...rows].join("\n")}\n\n`);
});

describe.concurrent("kill -9 at each durable write, then restart", () => {
  it.for(["before", "after"] as const)(
    "%s each of them: nothing lost, nothing twice",
    { timeout: exhaustive ? 7_200_000 : 1_800_000 },
    // In parallel, each with its own context, because the end of one must not close the other's world.
    async (moment, { onTestFinished }) => {
      const chain = await Chain.begin(moment);
      onTestFinished(() => chain.close());
      const missing = await chain.run();
      visits.set(moment, chain.visited());
      expect({ missing, problems: await chain.problems(), story: chain.story() }).toEqual({
        missing: [],
        problems: [],
        story: chain.story(),
      });
    },
  );
});

/** A world whose App dies again and again. */
class Chain {
  readonly #stage: Stage;
  readonly #moment: Moment;
  readonly #issues: number[] = [];
  readonly #reviewed = new Set<number>();
  readonly #deaths: string[] = [];
  #standBy: BatonProcess;

  private constructor(stage: Stage, moment: Moment) {
    this.#stage = stage;
    this.#moment = moment;
    this.#standBy = this.#spawn();
  }

  static async begin(moment: Moment): Promise<Chain> {
    return new Chain(await setStage({ script: { ...sampleScript, implement: sampleScript.repair }, config }), moment);
  }

  async close(): Promise<void> {
    this.#standBy.kill();
    await this.#stage.close();
  }

  story(): string {
    return `killed ${this.#deaths.length} times: ${this.#deaths.join(", ")}`;
  }

  visited(): string[] {
    if (!existsSync(this.#visitedPath)) return [];
    const lines = readFileSync(this.#visitedPath, "utf8").trim().split("\n");
    return lines.map((line) => line.replace(/^(before|after) /, ""));
  }

  /**
   * Repeats lives and deaths until every write was visited and the last run has ended. Returns the sites that were never
   * passed.
   */
  async run(): Promise<string[]> {
    for (;;) {
      const child = this.#standBy;
      this.#standBy = this.#spawn();
      const end = await this.#live(child);
      if (end === null) break;
      this.#deaths.push(end);
      if (process.env["CRASH_TRACE"] !== undefined)
        process.stderr.write(`${Math.round(performance.now())} ${this.#moment} issue ${this.#issues.length}: ${end}\n`);
    }
    const visited = this.visited();
    return happyPathSites.filter((site) => !visited.some((place) => place === site || place.startsWith(`${site} [`)));
  }

  /** The place of its death. null: everything is done. */
  async #live(child: BatonProcess): Promise<string | null> {
    const died = child.line("died ");
    child.go();
    let progressAt = performance.now();
    let seen = "";
    let listening = false;
    for (;;) {
      const end = await Promise.race([died, next(40)]);
      if (typeof end === "string") {
        await child.ended;
        if (end === "") throw new Error(`The App ended by itself.\n${this.story()}`);
        return end;
      }
      if (!listening && child.url !== null) {
        // GitHub's deliveries to the dead process failed, and GitHub does not resend by itself. This call resends them, as
        // the App's own poll for missed deliveries does after some minutes.
        this.#stage.listen(child.url);
        for (const delivery of this.#missed()) this.#stage.github.redeliver(delivery.id);
        listening = true;
      }
      if (!listening) continue;
      if (this.#people() === "done") {
        await this.#silence();
        child.kill();
        await child.ended;
        return null;
      }
      const now = this.#shown();
      if (now !== seen) progressAt = performance.now();
      seen = now;
      if (performance.now() > progressAt + patienceMs) {
        child.kill();
        throw new Error(`Nothing moved for ${patienceMs} ms.\n${now}\n${this.story()}`);
      }
    }
  }

  /** GitHub got no request for a while, so Baton has processed the last answer. */
  async #silence(): Promise<void> {
    for (let asked = -1; asked !== this.#stage.github.log.length; ) {
      asked = this.#stage.github.log.length;
      await next(quietMs);
    }
  }

  /** People's acts: ask, review green work, and ask for the next run while unvisited writes remain. */
  #people(): "wait" | "done" {
    const current = this.#issues.at(-1);
    if (current === undefined) {
      this.#ask(this.#stage.issue);
      return "wait";
    }
    const pull = this.#pulls(current)[0];
    const checks = [...this.#repository.checkRuns.values()];
    const ofHead = checks.filter(({ headSha }) => headSha === pull?.pull?.headSha);
    const green = ofHead.some(({ name, conclusion }) => name === "test" && conclusion === "success");
    // Only after Baton asks for it. Until then, the run passes the states in which it waits.
    const asked = this.#comments(current).some((body) => body.includes("op=status:") && /needs a review/.test(body));
    if (pull !== undefined && green && asked && !this.#reviewed.has(pull.number)) {
      this.#stage.github.review({ repository: repositoryName, number: pull.number, as: "bob", event: "APPROVE" });
      this.#reviewed.add(pull.number);
    }
    const told = this.#comments(current);
    const over =
      told.some((body) => body.includes("baton:op=final:")) &&
      told.some((body) => body.includes("baton:op=status:") && body.includes("**Done in #")) &&
      ofHead.some(({ name, status }) => name === "Baton" && status === "completed");
    if (!over) return "wait";
    const before = this.#left;
    this.#left = this.visited().length;
    // Nothing new since the last issue: the remaining sites are never passed.
    const full = happyPathSites.every((site) => this.visited().some((place) => place.startsWith(site)));
    if (this.#issues.length >= issuesMax || (full && (!exhaustive || before === this.#left))) return "done";
    const number = this.#issues.length + 1;
    const note = {
      files: { [`note-${number}.txt`]: `${number}\n` },
      text: "Noted.",
      usage: sampleScript.plan[0]?.usage,
    };
    writeFileSync(this.#stage.scriptPath, JSON.stringify({ ...sampleScript, implement: [note] }));
    const issue = this.#stage.github.openIssue({
      repository: repositoryName,
      as: "alice",
      title: `Note ${number}`,
      body: "",
    });
    this.#ask(issue.number);
    return "wait";
  }

  #left = -1;

  #ask(number: number): void {
    this.#issues.push(number);
    this.#stage.github.comment({ repository: repositoryName, number, as: "alice", body: "/baton run" });
  }

  /** Wrong results in the threads and in the store. */
  async problems(): Promise<string[]> {
    const problems: string[] = [];
    const want = (what: string, found: unknown, wanted: unknown): void => {
      if (!isDeepStrictEqual(found, wanted))
        problems.push(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
    };
    const { log } = this.#stage.github;
    const done = (method: string, path: RegExp): number =>
      log.filter((entry) => entry.method === method && path.test(entry.path) && entry.status < 300).length;
    const count = this.#issues.length;
    const checkRuns = [...this.#repository.checkRuns.values()].filter(({ name }) => name === "Baton");
    for (const number of this.#issues) {
      const pulls = this.#pulls(number);
      want(`pull requests of #${number}`, pulls.length, 1);
      want(`#${number} merged`, typeof pulls[0]?.pull?.mergedAt, "string");
      const told = this.#comments(number).map((body) => /baton:op=([a-z]+)/.exec(body)?.[1] ?? "unmarked");
      // The review may come before Baton has asked for it in a comment.
      const questions = told.filter((one) => one === "question");
      want(`questions in #${number}`, questions.slice(1), []);
      want(
        `comments of #${number}`,
        told.filter((one) => one !== "question").toSorted((a, b) => a.localeCompare(b)),
        ["final", "status"],
      );
      const onHead = checkRuns.filter(({ headSha }) => headSha === pulls[0]?.pull?.headSha);
      want(
        `check runs of #${number}`,
        onHead.map(({ conclusion }) => conclusion),
        ["success"],
      );
    }
    want("check runs", checkRuns.length, count);
    want("pushes", done("POST", /git-receive-pack$/), count);
    want("merges", done("PUT", /\/merge$/), count);
    want("pull requests created", done("POST", /\/pulls$/), count);
    for (const { id, reactions } of this.#repository.comments.values())
      want(`reactions to ${id}`, new Set(reactions.map(({ content }) => content)).size, reactions.length);
    await this.#checkStore(want);
    return problems;
  }

  async #checkStore(want: (what: string, found: unknown, wanted: unknown) => void): Promise<void> {
    const directory = join(this.#stage.environment["BATON_DATA"] as string, "database");
    const database = await openPglite({ directory, log: silentLog });
    const { store } = database;
    try {
      const runs = await store.runs({});
      want("runs", runs.length, this.#issues.length);
      const due = await store.outboxDue(Number.MAX_SAFE_INTEGER, 100);
      want(
        "outbox",
        due.map(({ operationKey }) => operationKey),
        [],
      );
      for (const run of runs) {
        // `read` checks schema and hash chain of every event.
        const state = fold(await store.read(run.runId));
        const statuses = [state.status, state.outcome?.verdict.status, run.status];
        want(`status of ${run.runId}`, statuses, ["completed", "passed", "completed"]);
        want(`position of ${run.runId}`, run.position, state.position);
        want(`thread of ${run.runId}`, await store.activeRun(run.threadKey), null);
        const settled = (await store.ledger({ runId: state.runId })).filter(({ kind }) => kind === "settle");
        const charges = settled.map(({ key, attempt }) => `${key}/${attempt}`);
        want(`charges of ${run.runId} ${charges.join(" ")}`, new Set(charges).size, charges.length);
        want(`charged steps of ${run.runId}`, [...new Set(settled.map(({ key }) => key))], ["plan", "implement"]);
        const cents = Math.round(settled.reduce((usd, row) => usd + row.usd, 0) * 1e6);
        want(`money of ${run.runId}`, Math.round(state.money.spentUsd * 1e6), cents);
        want(`reserve of ${run.runId}`, state.money.reservedUsd, 0);
      }
    } finally {
      await database.queue.stop(0);
      await database.close();
    }
  }

  /** A process that has imported everything and waits, so that the next life begins at once. */
  #spawn(): BatonProcess {
    return new BatonProcess(childPath, {
      ...this.#stage.environment,
      AGENT_SCRIPT: this.#stage.scriptPath,
      CRASH_VISITED: this.#visitedPath,
      CRASH_MOMENTS: this.#moment,
      ...(exhaustive ? { CRASH_EXHAUSTIVE: "1" } : {}),
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(this.#stage.directory, "compiled"),
    });
  }

  get #visitedPath(): string {
    return join(this.#stage.directory, "visited");
  }

  /** One delivery for each GUID that never got through. */
  #missed() {
    const { deliveries } = this.#stage.github;
    const through = new Set(
      deliveries.filter(({ statusCode }) => statusCode >= 200 && statusCode <= 299).map(({ guid }) => guid),
    );
    return new Map(deliveries.filter(({ guid }) => !through.has(guid)).map((one) => [one.guid, one])).values();
  }

  get #repository() {
    const found = [...this.#stage.github.state.repositories.values()].find(({ name }) => name === "shop");
    if (found === undefined) throw new Error("no repository");
    return found;
  }

  #pulls(issue: number) {
    return [...this.#repository.threads.values()].filter(
      ({ pull, body }) => pull !== null && (body ?? "").includes(`Closes #${issue}\n`),
    );
  }

  #comments(number: number): string[] {
    return [...this.#repository.comments.values()]
      .filter(({ threadNumber, appId }) => threadNumber === number && appId !== null)
      .map(({ body }) => body);
  }

  #shown(): string {
    return this.#issues.map((number) => `#${number}\n${this.#comments(number).join("\n")}`).join("\n");
  }
}

function next(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), ms);
  });
}
