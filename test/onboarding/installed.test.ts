/** Installing the App opens set-up pull requests: from the delivery through the door to the local GitHub. One world. */
import { afterEach, expect, it } from "vitest";
import { claudeCode } from "../../src/adapters/harness/claude-code/harness.ts";
import { changeSetupBook, noteInstallation, openWaitingSetups, readSetupBook } from "../../src/begin/onboard.ts";
import { SetupRequests } from "../../src/begin/setup-requests.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { emptySetupBook, withArrived } from "../../src/onboarding/book.ts";
import type { Github } from "../../src/ports/github.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { rememberRepositories } from "../../src/runner/schedule-book.ts";
import { type ObservedWorld, observedWorld } from "../scenarios/helpers.ts";

const ci =
  "name: CI\non: [push, pull_request]\njobs:\n  test: { runs-on: x, steps: [{ run: 'true' }] }\n  lint: { runs-on: x, steps: [{ run: 'true' }] }\n";
const dayMs = 24 * 3_600_000;

let world: ObservedWorld;
afterEach(() => world.close());

const repositoryAt = (name: string) => {
  const found = [...world.github.state.repositories.values()].find((one) => one.name === name);
  if (found === undefined) throw new Error(`no repository ${name}`);
  return found;
};
const proposals = (name: string) =>
  [...repositoryAt(name).threads.values()].filter(({ pull }) => pull?.headRef === "baton/setup");
const ends = async (): Promise<Record<string, string | null>> => {
  const { entries } = await readSetupBook(world.baton.dependencies, "acme");
  return Object.fromEntries(Object.values(entries).map(({ name, end }) => [name, end]));
};
/** Some days later, without a wait. */
const later = (days: number, change: Partial<Dependencies> = {}): Dependencies => {
  const { clock } = world.baton.dependencies;
  return { ...world.baton.dependencies, clock: { ...clock, now: () => clock.now() + days * dayMs }, ...change };
};
const appId = (): number => world.settings.app?.id ?? 0;
const installationId = (): number =>
  [...world.github.state.installations.values()].find((one) => one.appId === appId())?.id ?? 0;

/** The same with another method. */
function instead<T extends object, Name extends keyof T>(target: T, name: Name, method: T[Name]): T {
  return new Proxy(target, {
    get(_, one) {
      if (one === name) return method;
      const own: unknown = Reflect.get(target, one, target);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}

async function reinstall(): Promise<void> {
  world.github.uninstallApp({ installationId: installationId(), as: "alice" });
  world.github.installApp({ appId: appId(), account: "acme", as: "alice" });
}

async function read(name: string, path: string): Promise<string | null> {
  const github: Github = await world.baton.dependencies.github.installation(installationId());
  return github.file(await github.repository(repositoryAt(name).id), path, "baton/setup");
}

it("one a day, the rest later and after a restart; none twice, closed or forgotten; each kind of repository has its end", async () => {
  const harness = claudeCode({ binary: "none", apiKey: undefined, baseUrl: undefined });
  world = await observedWorld({
    ci: false,
    harnesses: new Map([[harness.name, harness]]),
    environment: { BATON_ONBOARDING_PER_DAY: "1" },
  });
  const { github } = world;
  const files = { "index.ts": "export {};\n", ".github/workflows/ci.yml": ci };
  const add = (name: string, more: object = {}) =>
    github.createRepository({ owner: "acme", name, private: false, files, ...more });
  github.createOrganization({ login: "other", members: ["bob"] });
  await github.createRepository({ owner: "other", name: "seed", private: false, files });
  await github.forkRepository({ repository: "other/seed", owner: "acme" });
  await add("api");
  await add("web");
  await add("frame", { template: true });
  await add("old");
  github.archive({ repository: "acme/old" });
  await github.createRepository({ owner: "acme", name: "blank", private: false });
  await reinstall();

  const first = await world.until("the first pull request", () => proposals("api")[0]);
  await world.until("the other repositories", async () => (await ends())["api"] === "opened");
  expect(first).toMatchObject({ number: 1, title: "Set up Baton" });
  for (const part of [
    "**Merge this pull request to start with Baton. Close it to decline.**",
    "opens no second one",
    "| CI checks | `test`, `lint` |",
    "`test`, `lint` proposed for `gates.required`",
    "About **$",
    "minutes a run",
    "### Access by strangers",
    "### How to remove Baton",
  ])
    expect(first.body).toContain(part);
  const config = await read("api", "baton.yaml");
  expect(parseConfig(config ?? "")).toMatchObject({
    ok: true,
    problems: [],
    settings: { gates: { required: [{ name: "test" }, { name: "lint" }] } },
  });
  // The App starts CI by its pushes, so no workflow changes.
  expect(await read("api", ".github/workflows/ci.yml")).toBe(ci);
  expect(proposals("web")).toEqual([]);

  await world.restart();
  expect(await openWaitingSetups(world.baton.dependencies), "the day is used up").not.toMatchObject({
    acme: expect.stringContaining("web"),
  });
  await openWaitingSetups(later(1));
  expect(proposals("web")).toHaveLength(1);
  await openWaitingSetups(later(2));
  expect(await ends()).toEqual({
    shop: "set-up",
    seed: "fork",
    api: "opened",
    web: "opened",
    frame: "template",
    old: "archived",
    blank: "empty",
  });

  github.closeIssue({ repository: "acme/api", number: 1, as: "alice" });
  await world.until("the refusal", async () => (await ends())["api"] === "declined");
  await reinstall();
  await world.until(
    "the second installation",
    async () =>
      (await world.baton.dependencies.store.value("onboarding/acme")) !== null &&
      Object.values((await readSetupBook(world.baton.dependencies, "acme")).entries).every(
        (one) => one.installationId === installationId(),
      ),
  );
  await openWaitingSetups(later(2));
  expect([proposals("api"), proposals("web")].map(({ length }) => length)).toEqual([1, 1]);

  // A lost database: GitHub still knows that somebody closed it.
  await world.baton.dependencies.store.setValue("onboarding/acme", emptySetupBook as never);
  const news = {
    kind: "added",
    account: "acme",
    installationId: installationId(),
    repositories: ["api", "web"].map((name) => ({ id: repositoryAt(name).id, name })),
  } as const;
  const open = { atInstall: true, perDay: 5 };
  await noteInstallation(later(3, { onboarding: open }), news);
  expect(await ends()).toEqual({ api: "declined", web: "opened" });
  expect([proposals("api"), proposals("web")].map(({ length }) => length)).toEqual([1, 1]);

  // Off: nothing by itself, but what an operator asks for. Others' accounts get nothing.
  await add("late");
  const late = { ...news, repositories: [{ id: repositoryAt("late").id, name: "late" }] };
  const off = later(4, { onboarding: { atInstall: false, perDay: 5 } });
  expect(await noteInstallation(off, late)).toBe("BATON_ONBOARDING is off");
  expect(await noteInstallation(later(4, { owners: ["other"] }), late)).toContain("not among the accounts");
  await openWaitingSetups(off);
  expect(proposals("late")).toEqual([]);
  await rememberRepositories(world.baton.dependencies, {
    readAt: 0,
    repositories: await world.baton.dependencies.github.repositories(),
  });
  const requests = new SetupRequests(off, { atInstall: false, perDay: 5 }, null);
  const asked = await requests.ask({ owner: "Acme", repositories: ["late", "api"], perDay: 2 });
  expect(asked.map(({ repository, state }) => [repository, state])).toEqual([
    ["Acme/api", "declined: its pull request was closed"],
    ["Acme/late", "waits, number 1 of 1, at most 2 a day"],
    ["Acme/web", "pull request opened"],
  ]);
  await expect(requests.ask({ owner: "nobody", repositories: ["*"], perDay: null })).rejects.toMatchObject({
    code: "BATON_INPUT_INVALID",
  });
  // An operator took the account off the list.
  await openWaitingSetups({ ...off, owners: ["other"] });
  expect(proposals("late")).toEqual([]);
  const others = new SetupRequests(off, { atInstall: false, perDay: 5 }, ["other"]);
  await expect(others.ask({ owner: "acme", repositories: ["late"], perDay: null })).rejects.toMatchObject({
    code: "BATON_POLICY_DENIED",
  });
  // Somebody closes it before the book has its number.
  const real = await off.github.installation(installationId());
  const closes = async (...given: Parameters<Github["updatePullRequest"]>): Promise<void> => {
    await real.updatePullRequest(...given);
    world.github.closeIssue({ repository: "acme/late", number: given[1], as: "alice" });
    await world.github.settle();
  };
  const quick = instead(off.github, "installation", async () => instead(real, "updatePullRequest", closes));
  await openWaitingSetups({ ...off, github: quick });
  expect(proposals("late")).toHaveLength(1);
  expect((await ends())["late"]).toBe("declined");

  // A repository comes in while the round forgets an account that it served.
  const arrival = { installationId: installationId(), repositories: [{ id: 4711, name: "next" }], at: 0, asked: true };
  let reads = 0;
  const { store } = off;
  const busy = instead(store, "value", async (name: string) => {
    const before = await store.value(name);
    reads += name === "onboarding/acme" ? 1 : 0;
    // The first read finds nothing to open, and the second nothing that waits.
    if (name === "onboarding/acme" && reads === 2)
      await changeSetupBook(off, "acme", (book) => withArrived(book, arrival));
    return before;
  });
  await changeSetupBook(off, "acme", (book) => ({ ...book, perDay: 0 }));
  await off.store.setValue("onboarding-accounts", ["acme"]);
  await openWaitingSetups({ ...off, store: busy });
  expect(await off.store.value("onboarding-accounts")).toEqual(["acme"]);
  await off.store.setValue("onboarding/acme", emptySetupBook as never);

  // The first push to an empty repository is its turn.
  await noteInstallation(later(5), {
    ...news,
    repositories: [{ id: repositoryAt("blank").id, name: "blank" }],
  });
  expect((await ends())["blank"]).toBe("empty");
  // As `app.yml` asks for it.
  for (const one of github.state.installations.values()) one.events = [...one.events, "push"];
  await github.push({ repository: "acme/blank", as: "alice", branch: "main", files, message: "First" });
  await world.until("the push", async () => (await ends())["blank"] === "opened");
  expect(proposals("blank")).toHaveLength(1);
});
