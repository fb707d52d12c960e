import { describe, expect, it } from "vitest";
import type { Repository } from "../core/vocabulary.ts";
import type { Github, GithubApp } from "../ports/github.ts";
import type { Harness } from "../ports/harness.ts";
import type { RepositorySetup } from "../ports/repository-setup.ts";
import { harnessWithBarrier, withBarrier } from "./barriers.ts";

const repository = {} as Repository;

/** Every method reports its call; each barrier does as well. */
async function told(use: (github: Github) => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const teller = <T>(more: Partial<T>): T =>
    new Proxy(more as object, {
      // JavaScript would await an object that has a `then`.
      get: (target, name) =>
        name === "then" ? undefined : (Reflect.get(target, name) ?? (async () => calls.push(String(name)))),
    }) as T;
  const inner = teller<Github>({ setup: () => teller<RepositorySetup>({}) });
  const app = { installation: async () => inner } as unknown as GithubApp;
  const guarded = await withBarrier(app, async () => void calls.push("barrier")).installation(1);
  await use(guarded);
  return calls;
}

describe("before a job touches GitHub what it wrote is in the refs", () => {
  it.each<[string, (github: Github) => Promise<unknown>, string[]]>([
    ["a write", (github) => github.ensureReaction(repository, { comment: 1 }, "eyes"), ["barrier", "ensureReaction"]],
    ["a read waits for nothing", (github) => github.issue(repository, 1), ["issue"]],
    [
      "a write of setting up",
      (github) => github.setup(repository).ensureBranch("b", "s", null),
      ["barrier", "ensureBranch"],
    ],
    ["a read of setting up", (github) => github.setup(repository).paths("s"), ["paths"]],
  ])("%s", async (_, use, calls) => {
    expect(await told(use)).toEqual(calls);
  });
});

it("a harness says the same of itself behind the barrier, and runs only after it", async () => {
  const order: string[] = [];
  const harness: Harness = {
    name: "small",
    capabilities: { readOnly: true } as Harness["capabilities"],
    defaultModel: "m",
    // Prompts name these tools; without them, an agent of the Action would get none.
    tools: { "read-only": ["read"], write: ["read", "edit"] },
    probe: async () => ({ installed: true, version: null, authenticated: true, advice: null }),
    run: async () => {
      order.push("run");
      return {} as Awaited<ReturnType<Harness["run"]>>;
    },
  };
  const behind = harnessWithBarrier(harness, async () => void order.push("barrier"));
  const told = (one: Harness) => Object.keys(one).sort();
  expect(told(behind)).toEqual(told(harness));
  expect(behind).toMatchObject({ name: "small", defaultModel: "m", tools: harness.tools });
  await behind.run({} as Parameters<Harness["run"]>[0], () => {}, new AbortController().signal);
  expect(order).toEqual(["barrier", "run"]);
});
