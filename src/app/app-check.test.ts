/** GitHub's answers about the App's identity. Baton reports missing and refused parts, or asks again. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse, parseDocument } from "yaml";
import { createTestWorld } from "../../packages/local-github/src/test-world.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { createGithubApp } from "../adapters/github/github-app.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { BatonError } from "../core/errors.ts";
import { meaningfulEvents, toThreadEvent } from "../intake/events.ts";
import { permissionsOf } from "../onboarding/workflow-file.ts";
import type { Log } from "../ports/log.ts";
import { triggerEvents } from "../trigger/event.ts";
import { type AppStatus, type SelfReader, startAppCheck } from "./app-check.ts";
import { commentOf, events, missingFrom, permissions } from "./permissions.ts";

const manifest = readFileSync(new URL("../../app.yml", import.meta.url), "utf8");
const asked = permissions.filter(({ optional }) => optional !== true);
const all = {
  permissions: Object.fromEntries(asked.map(({ name, access }) => [name, access])),
  events: events.map(({ name }) => name),
};

it("app.yml asks for what the table says, with its reasons; what is optional stands there as a comment", () => {
  const read = parse(manifest) as { default_permissions: object; default_events: string[] };
  expect(read.default_permissions).toEqual(all.permissions);
  expect(read.default_events).toEqual(all.events);
  expect(permissionsOf(manifest)).toEqual(
    asked.map((need) => ({ name: need.name, access: need.access, reason: commentOf(need) })),
  );
  for (const need of events) expect(manifest).toContain(`  - ${need.name} # ${commentOf(need)}\n`);
  for (const need of permissions) if (need.optional) expect(manifest).toContain(`  # ${need.name}: ${need.access} # `);
  expect(parseDocument(manifest).errors).toEqual([]);
});

it("each event's permission is asked for: GitHub offers the event only then", () => {
  expect(events.filter(({ needs }) => !Object.hasOwn(all.permissions, needs))).toEqual([]);
});

it.each(events.map(({ name }) => name))(
  "something handles the event `%s`, and one that was lost is asked for",
  (name) => {
    const read = toThreadEvent(name, {});
    const unknown = toThreadEvent("unknown", {});
    const isOfRuns =
      read.kind !== "ignored" ||
      (unknown.kind === "ignored" && read.reason !== unknown.reason.replace("unknown", name));
    expect(isOfRuns || triggerEvents.some((on) => on === name || on.startsWith(`${name}.`))).toBe(true);
    expect(meaningfulEvents.has(name)).toBe(true);
  },
);

it.each<[string, Record<string, string>, string[], string[]]>([
  ["nothing", {}, [], []],
  ["read in place of write", { actions: "read" }, [], ["actions: write"]],
  ["write in place of read", { statuses: "write" }, [], []],
  ["an event", {}, ["release"], ["release"]],
])("missing: %s", (_, change, without, names) => {
  const granted = {
    permissions: { ...all.permissions, ...change },
    events: all.events.filter((name) => !without.includes(name)),
  };
  expect(missingFrom(granted).map(({ name }) => name)).toEqual(names);
});

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Log;

/** The first status after the given one, without waiting for the clock. */
async function statusOf(reader: SelfReader, appId = 12): Promise<AppStatus> {
  const clock = new ManualClock();
  let asked = 0;
  const told = Promise.withResolvers<void>();
  const waiting = {
    now: () => clock.now(),
    sleepUntil: async (at: number, signal?: AbortSignal) => {
      asked += 1;
      told.resolve();
      await clock.sleepUntil(at, signal);
    },
  };
  const check = startAppCheck({ reader, appId, clock: waiting, log: silent });
  await told.promise;
  const status = check.status();
  await check.stop();
  expect(asked).toBe(1);
  return status;
}

const reader = (thrown: BatonError | null, id = 12): SelfReader => ({
  self: async () => {
    if (thrown !== null) throw thrown;
    return { id, slug: "baton", ...all };
  },
  installations: async () => [
    { id: 1, account: "acme", permissions: { ...all.permissions, checks: "read" }, events: all.events },
  ],
});

it.each<[string, SelfReader, Partial<AppStatus>]>([
  [
    "an installation that lacks something",
    reader(null),
    { state: "incomplete", missing: [{ where: "installation acme", names: ["checks: write"] }] },
  ],
  ["the id of another App", reader(null, 13), { state: "refused", message: expect.stringContaining("APP_ID") }],
  [
    "a wrong key",
    reader(new BatonError("BATON_GITHUB_DENIED", "GET /app: 401 A JSON web token could not be decoded")),
    { state: "refused", message: expect.stringContaining("APP_ID and PRIVATE_KEY belong to the same App") },
  ],
  [
    "a clock that is off",
    reader(
      new BatonError("BATON_GITHUB_DENIED", "GET /app: 401 'Expiration time' claim ('exp') is too far in the future"),
    ),
    { state: "refused", message: expect.stringContaining("clock") },
  ],
  [
    "an App that is not there",
    reader(new BatonError("BATON_GITHUB_NOT_FOUND", "GET /app: 404 Integration not found")),
    { state: "refused", message: expect.stringContaining("No App has this APP_ID") },
  ],
  [
    "a GitHub that is away",
    reader(new BatonError("BATON_GITHUB_UNAVAILABLE", "GET /app: no answer")),
    { state: "unreachable" },
  ],
  ["a key that cannot sign", reader(new BatonError("BATON_SETTINGS_INVALID", "no key")), { state: "refused" }],
])("%s", async (_, from, expected) => {
  expect(await statusOf(from)).toMatchObject(expected);
});

it("asks again after 5 s, 10 s, 20 s while GitHub is away, and is well when it comes back", async () => {
  const pauses: number[] = [];
  let answers = false;
  const done = Promise.withResolvers<void>();
  const check = startAppCheck({
    reader: {
      self: async () => {
        if (!answers) throw new BatonError("BATON_GITHUB_UNAVAILABLE", "GET /app: no answer");
        return { id: 12, slug: "baton", ...all };
      },
      installations: async () => [],
    },
    appId: 12,
    log: silent,
    clock: {
      now: () => 0,
      async sleepUntil(at, signal) {
        pauses.push(at);
        if (pauses.length === 3) answers = true;
        if (pauses.length < 4) return;
        done.resolve();
        await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
      },
    },
  });
  await done.promise;
  expect(pauses).toEqual([5_000, 10_000, 20_000, 3_600_000]);
  expect(check.status()).toMatchObject({ state: "ok", app: "baton", message: null, missing: [] });
  await check.stop();
});

it("over HTTP: the local GitHub answers as itself, with the App's permissions and events", async () => {
  await using world = await createTestWorld({ grants: { contents: "write", issues: "write", metadata: "read" } });
  const options = { appId: world.app.id, baseUrl: world.github.apiUrl, clock: systemClock };
  const github = createGithubApp({ ...options, privateKey: world.app.privateKey });
  const status = await statusOf(github, world.app.id);
  expect(status).toMatchObject({ state: "incomplete", app: expect.any(String) });
  const [own] = status.missing;
  expect(own?.where).toMatch(/^App /);
  expect(own?.names).toContain("pull_requests: write");
  expect(own?.names).not.toContain("issues: write");
  expect(status.missing.map(({ where }) => where)).toEqual([own?.where, "installation acme"]);
});
