/**
 * All payloads that GitHub's community has collected, signed, through the App's real door, and then handled. They go in
 * unchanged. Then they go in again for a repository with the App, so their effects really run.
 */
import { createHmac, randomUUID } from "node:crypto";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { repositoryName, startWorld, type World } from "../../packages/local-github/demo/world.ts";
import { webhookPath } from "../../src/app/door.ts";
import { outcomeOf } from "../../src/intake/outcome.ts";
import { mismatches } from "./validate.ts";

type Payload = Record<string, unknown>;

const collection = examples as unknown as { name: string; examples: Payload[] }[];
const payloads = collection.flatMap(({ name, examples: list }) => list.map((payload) => ({ event: name, payload })));

let world: World;
let installationId: number;
let pullNumber: number;
let headSha: string;

beforeAll(async () => {
  world = await startWorld({ ci: false });
  headSha = await world.github.push({
    repository: repositoryName,
    as: "bob",
    branch: "notes",
    files: { "notes.md": "Notes.\n", "baton.yaml": "version: 1\nmerge: auto\n" },
  });
  const pull = await world.github.openPullRequest({
    repository: repositoryName,
    as: "bob",
    head: "notes",
    base: "main",
    title: "Notes",
  });
  pullNumber = pull.number;
  installationId = [...world.github.state.installations.values()].find(({ appId }) => appId === world.settings.app?.id)
    ?.id as number;
  // After this call, only this file sends events.
  world.listen(null);
  await world.github.settle();
});
afterAll(() => world.close());

/** The same event, for an existing thread. */
function addressed(payload: Payload): Payload {
  const repository = [...world.github.state.repositories.values()].find(({ name }) => name === "shop");
  const owner = { login: "acme", id: repository?.ownerId, type: "Organization" };
  const here = { id: repository?.id, name: "shop", full_name: repositoryName, owner, default_branch: "main" };
  const within = (key: string, change: Payload): Payload =>
    typeof payload[key] === "object" && payload[key] !== null
      ? { [key]: { ...(payload[key] as Payload), ...change } }
      : {};
  return {
    ...payload,
    installation: { ...(payload["installation"] as Payload | undefined), id: installationId },
    ...within("repository", here),
    ...within("issue", { number: world.issue }),
    ...within("pull_request", {
      number: pullNumber,
      head: { ...((payload["pull_request"] as Payload | undefined)?.["head"] as Payload | undefined), sha: headSha },
    }),
    ...within("check_run", { head_sha: headSha }),
    ...within("check_suite", { head_sha: headSha }),
    ...within("workflow_run", { head_sha: headSha }),
  };
}

interface Outcome {
  guid: string;
  event: string;
  status: number;
  state: string;
  note: string;
}

/** Sends all payloads, a few at a time as GitHub does, and waits until Baton has handled each. */
async function deliverAll(hook: string, change: (payload: Payload) => Payload): Promise<Outcome[]> {
  // The store behind the redactor, because the redactor passes a spy on to itself.
  const { store } = world.baton.database;
  const secret = world.settings.app?.secrets[0] ?? "";
  // The world has its own events, so the test waits only for these. A repeated test sends others.
  const wanted = new Map(payloads.map((one) => [randomUUID() as string, one]));
  const finished = new Map<string, { state: string; note: string }>();
  const finish = store.finishDelivery.bind(store);
  const spy = vi.spyOn(store, "finishDelivery").mockImplementation(async (itsHook, guid, state, note, ...job) => {
    await finish(itsHook, guid, state, note, ...job);
    if (wanted.has(guid)) finished.set(guid, { state, note });
  });
  // A delivery that cannot matter is finished as soon as it is kept.
  const insert = store.insertDelivery.bind(store);
  const arrivals = vi.spyOn(store, "insertDelivery").mockImplementation(async (delivery, job) => {
    const isNew = await insert(delivery, job);
    const { guid, note = "" } = delivery;
    if (job === null && wanted.has(guid)) finished.set(guid, { state: "handled", note });
    return isNew;
  });
  const answers = new Map<string, number>();
  const queue = [...wanted];
  const sender = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [guid, { event, payload }] = next;
      const body = JSON.stringify(change(payload));
      const response = await fetch(`${world.server.url}${webhookPath}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": event,
          "x-github-delivery": guid,
          "x-github-hook-id": hook,
          "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
        },
        body,
      });
      const said = await response.text();
      answers.set(guid, response.status);
      if (response.status !== 202) throw new Error(`${event} was refused with ${response.status}: ${said}`);
    }
  };
  try {
    await Promise.all([sender(), sender(), sender(), sender()]);
    const missing = (): string[] => [...wanted].flatMap(([guid, { event }]) => (finished.has(guid) ? [] : [event]));
    await expect.poll(missing).toEqual([]);
  } finally {
    spy.mockRestore();
    arrivals.mockRestore();
  }
  return [...wanted].map(([guid, { event }]) => {
    const { state, note } = finished.get(guid) as { state: string; note: string };
    return { guid, event, status: answers.get(guid) ?? 0, state, note };
  });
}

const unwell = (outcomes: Outcome[]) => outcomes.filter(({ status, note }) => status !== 202 || note.trim() === "");

describe(`the ${payloads.length} collected payloads`, () => {
  it("are all of them: 58 events", () => {
    expect([payloads.length, new Set(payloads.map(({ event }) => event)).size]).toEqual([329, 58]);
  });

  it("as they are: each is taken, and handled or ignored with a reason, never refused for its shape", async () => {
    const outcomes = await deliverAll("1", (payload) => payload);
    expect(unwell(outcomes)).toEqual([]);
    // The installations of the collection are not installed here. GitHub's 404 is an answer, not a shape.
    const failed = outcomes.filter(
      ({ state, note }) => state !== "handled" && !note.startsWith("BATON_GITHUB_NOT_FOUND: POST /app/installations/"),
    );
    expect(failed).toEqual([]);
  });

  it("addressed to a repository of ours: each is handled, and none means a command", async () => {
    const runs = await world.baton.dependencies.store.runs({});
    const outcomes = await deliverAll("2", addressed);
    expect(unwell(outcomes)).toEqual([]);
    expect(outcomes.filter(({ state }) => state !== "handled")).toEqual([]);
    const facts = outcomes.filter(({ note }) => outcomeOf(note).kind === "facts");
    expect(new Set(facts.map(({ event }) => event))).toEqual(
      new Set([
        "check_run",
        "check_suite",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "status",
        "workflow_run",
      ]),
    );
    expect(await world.baton.dependencies.store.runs({})).toEqual(runs);
  });
});

describe("what the collection lacks", () => {
  it("a comment on a pull request, by a person and by a bot: valid by GitHub's description", async () => {
    const { github } = world;
    world.listen(world.server.url);
    const before = github.deliveries.length;
    github.comment({ repository: repositoryName, number: pullNumber, as: "alice", body: "Looks fine." });
    github.comment({ repository: repositoryName, number: pullNumber, as: "baton[bot]", body: "/baton run" });
    await github.settle();
    const comments = github.deliveries.slice(before).filter(({ event }) => event === "issue_comment");
    expect(
      comments.map(({ request, statusCode }) => [statusCode, (request.payload as Payload)["sender"]]),
    ).toMatchObject([
      [202, { login: "alice", type: "User" }],
      [202, { login: "baton[bot]", type: "Bot" }],
    ]);
    for (const { event, action, request } of comments) {
      expect((request.payload as { issue: object }).issue).toHaveProperty("pull_request");
      expect(
        mismatches({ kind: "webhook", event, action, headers: {}, payload: request.payload, status: 202 }),
      ).toEqual([]);
    }
  });
});
