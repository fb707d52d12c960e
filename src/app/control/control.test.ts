/** The command line asks a running Baton over its socket, and gets the answers of its operations. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../adapters/system/log.ts";
import { runCli } from "../../cli/program.ts";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import { runningBaton } from "./client.ts";
import { controlPath, type Operator, operations, remoteOperator } from "./protocol.ts";
import { openControl } from "./server.ts";

let directory: string;
const open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-control-"));
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  rmSync(directory, { recursive: true, force: true });
});

const by = { id: 0, login: "alice (command line)", kind: "user", permission: "admin" } as const;
const about = {
  version: "1.2.3",
  pid: 4_000_000,
  startedAt: Date.now() - 65_000,
  url: "http://127.0.0.1:3000",
  database: "pglite",
  github: "ok",
  activeRuns: 2,
};

/** An operator that reports its calls. */
function echo(heard: unknown[][] = []): Operator {
  const named =
    (name: string) =>
    async (...given: unknown[]) => {
      heard.push([name, ...given]);
      if (given[0] === "run_gone") throw new BatonError("BATON_NO_RUN", "There is no run run_gone.");
      return (name === "blob" ? null : [name]) as never;
    };
  const schedules = ["list", "run", "pause", "resume"].map((name) => [name, named(`schedules.${name}`)]);
  const names = ["list", "read", "events", "blob", "cancel", "erase", "retry", "circuit", "start", "signIn", "backup"];
  return {
    ...Object.fromEntries(names.map((name) => [name, named(name)])),
    schedules: Object.fromEntries(schedules),
    sweeps: { run: named("sweeps.run"), stats: named("sweeps.stats") },
    setups: { ask: named("setups.ask"), list: named("setups.list") },
    tokens: { create: named("tokens.create"), list: named("tokens.list"), revoke: named("tokens.revoke") },
  } as unknown as Operator;
}

async function serve(operator: Operator, { log = silentLog, stop = () => {} }: { log?: Log; stop?: () => void } = {}) {
  const path = controlPath(directory);
  const control = await openControl({ path, operator, about: async () => about, stop, log });
  if (control !== null) open.push(control);
  return control;
}

describe("the socket of a running Baton", () => {
  it("carries every operation with its arguments, and what it answers", async () => {
    const heard: unknown[][] = [];
    await serve(echo(heard));
    const running = await runningBaton(directory);
    expect(running?.about).toEqual(about);
    const { operator } = running as NonNullable<typeof running>;
    expect(await operator.list({ active: true })).toEqual(["list"]);
    expect(await operator.read("run_1")).toEqual(["read"]);
    expect(await operator.events("run_1")).toEqual(["events"]);
    expect(await operator.blob("run_1", "abc")).toBeNull();
    expect(await operator.cancel("run_1", by, "Why.")).toEqual(["cancel"]);
    expect(await operator.erase("run_1")).toEqual(["erase"]);
    expect(await operator.retry("run_1", by)).toEqual(["retry"]);
    expect(await operator.circuit("codex")).toEqual(["circuit"]);
    const request = { repository: "acme/shop", number: 7, text: "plan", by };
    expect(await operator.start(request)).toEqual(["start"]);
    expect(await operator.backup("/srv/backup.tar.gz")).toEqual(["backup"]);
    expect(await operator.schedules.list()).toEqual(["schedules.list"]);
    expect(await operator.schedules.run("nightly", null, by)).toEqual(["schedules.run"]);
    expect(await operator.schedules.pause("nightly", "acme/shop", "alice")).toEqual(["schedules.pause"]);
    expect(await operator.schedules.resume("nightly", null)).toEqual(["schedules.resume"]);
    expect(await operator.sweeps.stats("acme/shop")).toEqual(["sweeps.stats"]);
    const sweep = { owner: "acme", repositories: ["*"], budgetUsd: 5, by };
    expect(await operator.sweeps.run(sweep)).toEqual(["sweeps.run"]);
    expect(await operator.setups.list("acme")).toEqual(["setups.list"]);
    expect(await operator.setups.ask({ owner: "acme", repositories: ["*"], perDay: 2 })).toEqual(["setups.ask"]);
    const reach = { repositories: ["acme/shop"], owners: [], days: 90 };
    expect(await operator.tokens.create({ name: "ci", scope: "read", as: "alice", ...reach })).toEqual([
      "tokens.create",
    ]);
    expect(await operator.tokens.list()).toEqual(["tokens.list"]);
    expect(await operator.tokens.revoke("ci")).toEqual(["tokens.revoke"]);
    expect(await operator.signIn()).toEqual(["signIn"]);
    expect(heard).toHaveLength(Object.keys(operations).length);
    expect(heard).toContainEqual(["list", { active: true, limit: 50 }]);
    expect(heard).toContainEqual(["cancel", "run_1", by, "Why."]);
    expect(heard).toContainEqual(["schedules.pause", "nightly", "acme/shop", "alice"]);
  });

  it("passes errors on by their code", async () => {
    await serve(echo());
    const running = await runningBaton(directory);
    await expect(running?.operator.read("run_gone")).rejects.toMatchObject({ code: "BATON_NO_RUN" });
  });

  it.each<[string, unknown[]]>([
    ["read", []],
    ["read", [7]],
    ["cancel", ["run_1", { login: "nobody" }, ""]],
    ["list", [{ limit: 100_000 }]],
    ["list", [{ unknown: true }]],
    ["toString", []],
    ["__proto__", []],
  ])("refuses %s %j, and nothing is done", async (name, given) => {
    const heard: unknown[][] = [];
    await serve(echo(heard));
    const path = controlPath(directory);
    const { request } = await import("node:http");
    const status = await new Promise((resolve, reject) => {
      const asked = request({ socketPath: path, path: `/${name}`, method: "POST" }, (answer) =>
        resolve(answer.statusCode),
      );
      asked.on("error", reject);
      asked.end(JSON.stringify(given));
    });
    expect(status).toBe(400);
    expect(heard).toEqual([]);
  });

  it("belongs to Baton's user alone, and goes with it", async () => {
    await serve(echo());
    expect(statSync(controlPath(directory)).mode & 0o777).toBe(0o600);
    await open.pop()?.close();
    expect(await runningBaton(directory)).toBeNull();
  });

  it("takes the place of what a dead process left, and not of a living one", async () => {
    writeFileSync(controlPath(directory), "");
    await expect(runningBaton(directory)).resolves.toBeNull();
    expect(await serve(echo())).not.toBeNull();
    const warned: string[] = [];
    expect(await serve(echo(), { log: { ...silentLog, warn: (text) => warned.push(text) } })).toBeNull();
    expect(warned).toEqual(["The command line cannot ask this Baton: it has no control socket"]);
    expect((await runningBaton(directory))?.about).toEqual(about);
  });

  it.skipIf(process.platform !== "linux")("is in its data directory, however long its path is", async () => {
    const above = directory;
    directory = join(above, "deep/".repeat(30));
    try {
      mkdirSync(directory, { recursive: true });
      expect(await serve(echo())).not.toBeNull();
      expect(statSync(join(directory, "control.sock")).mode & 0o777).toBe(0o600);
      expect((await runningBaton(directory))?.about).toEqual(about);
      expect(await runningBaton(join(above, "deep"))).toBeNull();
      await open.pop()?.close();
      expect(existsSync(join(directory, "control.sock"))).toBe(false);
    } finally {
      directory = above;
    }
  });

  it("asks under the names that are answered", async () => {
    const asked: string[] = [];
    const { schedules, sweeps, setups, tokens, ...rest } = remoteOperator(async (name) => asked.push(name));
    const groups = [rest, schedules, sweeps, setups, tokens];
    for (const one of groups.flatMap((group): unknown[] => Object.values(group)))
      await (one as () => Promise<unknown>)();
    expect(asked.sort()).toEqual(Object.keys(operations).sort());
  });
});

describe("the command line next to a running Baton", () => {
  async function baton(words: string) {
    let [out, err] = ["", ""];
    const code = await runCli(words.split(" "), {
      environment: { BATON_DATA: directory, USER: "alice" },
      directory,
      print: (text) => (out += `${text}\n`),
      note: (text) => (err += `${text}\n`),
    });
    return { code, out, err };
  }

  it("asks it, and opens no database", async () => {
    const heard: unknown[][] = [];
    await serve(echo(heard));
    // The directory has no database at all.
    expect(await baton("run list --json --active --repository acme/shop")).toMatchObject({ code: 0, err: "" });
    expect(heard).toEqual([["list", { active: true, repository: "acme/shop", limit: 20 }]]);
    expect(await baton("run show run_gone")).toMatchObject({ code: 3, err: expect.stringContaining("BATON_NO_RUN") });
  });

  it("asks for tokens: the text alone on standard output, and everything that bounds it in the request", async () => {
    const asked: unknown[] = [];
    const kept = {
      id: "0",
      name: "ci",
      scope: "steer" as const,
      person: { id: 1, login: "alice", kind: "user" as const },
      repositories: ["acme/shop"],
      owners: [],
      createdAt: 0,
      expiresAt: Date.UTC(2026, 11, 1),
      revokedAt: null,
    };
    const tokens: Operator["tokens"] = {
      create: async (request) => {
        asked.push(request);
        return { token: "the-token", kept };
      },
      list: async () => [kept, { ...kept, name: "old", revokedAt: 1 }],
      revoke: async () => kept,
    };
    await serve({ ...echo(), tokens, signIn: async () => "http://127.0.0.1:3000/sign-in?code=x" });
    const words = "token create ci --as alice --scope steer --repository acme/shop --repository acme/web --days 7";
    expect(await baton(words)).toMatchObject({
      code: 0,
      out: "the-token\n",
      err: expect.stringContaining("2026-12-01"),
    });
    const request = { name: "ci", as: "alice", scope: "steer", days: 7, owners: [] };
    expect(asked).toEqual([{ ...request, repositories: ["acme/shop", "acme/web"] }]);
    for (const wrong of ["--scope all", "--days 0", "--days 400"])
      expect((await baton(`token create ci --as alice ${wrong}`)).code).toBe(2);
    const { out } = await baton("token list");
    expect(out).toMatch(/ci +@alice +steer +acme\/shop/);
    expect(out).toMatch(/old .* revoked/);
    expect((await baton("token revoke ci")).out).toBe("The token ci is revoked.\n");
    expect((await baton("open")).out).toBe("http://127.0.0.1:3000/sign-in?code=x\n");
  });

  it("says how it is, and that none runs", async () => {
    expect(await baton("status")).toMatchObject({ code: 1, out: expect.stringContaining("No Baton runs") });
    await serve(echo());
    const { code, out } = await baton("status");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^Baton 1\.2\.3 runs as process 4000000 for \d+ s\.$/),
      "  address   http://127.0.0.1:3000",
      "  database  pglite",
      "  GitHub    ok",
      "  runs      2 active",
      "",
    ]);
    expect(JSON.parse((await baton("status --json")).out)).toEqual(about);
  });

  it("stops it, and waits until it is gone", async () => {
    expect(await baton("stop")).toMatchObject({ code: 0, out: "No Baton runs on this data directory.\n" });
    const stop = (): void => void open.pop()?.close();
    await serve(echo(), { stop });
    expect(await baton("stop")).toMatchObject({ code: 0, out: "Baton (process 4000000) has stopped.\n" });
  });
});
