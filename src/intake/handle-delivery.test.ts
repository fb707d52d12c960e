import { describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { BatonError } from "../core/errors.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { Runner } from "../runner/runner.ts";
import { handleDelivery } from "./handle-delivery.ts";
import { noteOf } from "./outcome.ts";

const hourMs = 3_600_000;

/** A stored comment, and a GitHub that is down. */
async function downtime(body: string, login = "alice") {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub("", () => clock.now());
  const commentId = github.say(7, login, body);
  const dependencies = {
    store,
    clock,
    log: silentLog,
    redact: (text: string) => text,
    github: {
      ...github.app(),
      installation: () => Promise.reject(new BatonError("BATON_GITHUB_UNAVAILABLE", "GET /: 503")),
    },
  } as unknown as Dependencies;
  const [news] = github.news;
  const delivery = { hook: "1", guid: "g", event: "issue_comment", action: "created", installationId: 3 };
  await store.insertDelivery(
    { ...delivery, payload: JSON.stringify(news?.payload), receivedAt: clock.now() },
    { queue: "delivery", data: {} },
  );
  const handle = (tries: number) =>
    handleDelivery(dependencies, {} as Runner, { id: "1", queue: "delivery", data: { hook: "1", guid: "g" }, tries });
  return { clock, store, commentId, handle };
}

describe("while GitHub is down", () => {
  it("a command waits for hours, however often it was tried", async () => {
    const { clock, store, handle } = await downtime("/baton run");
    clock.advance(23 * hourMs);
    await expect(handle(500)).rejects.toMatchObject({ code: "BATON_GITHUB_UNAVAILABLE" });
    expect(await store.delivery("1", "g")).toMatchObject({ state: "received" });
  });

  it("after a day it is given up, and the thread will say so", async () => {
    const { clock, store, commentId, handle } = await downtime("/baton run");
    clock.advance(25 * hourMs);
    await handle(501);
    expect(await store.delivery("1", "g")).toMatchObject({ state: "failed", note: expect.stringContaining("503") });
    const reply = await store.outboxRow(`reply:${commentId}`);
    expect(reply?.payload).toMatchObject({
      number: 7,
      body: expect.stringMatching(/@alice, Baton could not do this: .*503.*give the command again/s),
    });
  });

  it("a comment that is no command costs nothing and gets no answer", async () => {
    const { clock, store, commentId, handle } = await downtime("Nice work.");
    clock.advance(25 * hourMs);
    await handle(1);
    expect(await store.delivery("1", "g")).toMatchObject({
      state: "handled",
      note: noteOf({ kind: "ignored", reason: "no command" }),
    });
    expect(await store.outboxRow(`reply:${commentId}`)).toBeNull();
  });
});

/** An issue that is opened with a command in it, and a rule of `triggers` about it. */
it.each(["BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND", "BATON_GITHUB_UNAVAILABLE"] as const)(
  "a command that fails with %s does not drop the rules that the same event is for",
  async (code) => {
    const clock = new ManualClock();
    const { store } = openMemory({ clock, log: silentLog });
    const github = new SmallGithub(
      "harness: { default: command }\ntriggers: [{ name: opened, on: issues.opened, process: explore }]\n",
      () => clock.now(),
    );
    let fails = true;
    const app = github.app();
    const dependencies = {
      store,
      clock,
      log: silentLog,
      owner: "test",
      redact: (text: string) => text,
      processes: builtInProcesses(),
      harnesses: new Map([["command", spy("command", [])]]),
      repositoryCommands: true,
      publicUrl: null,
      github: {
        ...app,
        installation: (id: number) => {
          const isFirst = fails;
          fails = false;
          return isFirst ? Promise.reject(new BatonError(code, "no")) : app.installation(id);
        },
      },
    } as unknown as Dependencies;
    const user = { id: 1, login: "alice", type: "User" };
    const payload = {
      action: "opened",
      issue: { number: 5, title: "x", body: "/baton help", user, created_at: "2026-01-01T00:00:00Z" },
      repository: { id: repository.id, name: "shop", default_branch: "main", owner: { login: "acme" } },
      installation: { id: repository.installationId },
      sender: user,
    };
    const delivery = { hook: "1", guid: "g", event: "issues", action: "opened", installationId: 3 };
    await store.insertDelivery(
      { ...delivery, payload: JSON.stringify(payload), receivedAt: clock.now() },
      { queue: "delivery", data: {} },
    );
    const runner = { wake: async () => false } as unknown as Runner;
    const job = { id: "1", queue: "delivery", data: { hook: "1", guid: "g" }, tries: 1 };
    await handleDelivery(dependencies, runner, job).catch(() => {});
    expect((await store.runs({})).map(({ process }) => process)).toEqual(["explore"]);
    expect((await store.delivery("1", "g"))?.state).toBe(code === "BATON_GITHUB_UNAVAILABLE" ? "received" : "failed");
  },
);
