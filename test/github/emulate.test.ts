/**
 * The same contract against another author's GitHub: the package `emulate`, at one exact version.
 * Cases that it cannot support are named. It is not a reference, only a second opinion.
 */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/rest";
import { createEmulator } from "emulate";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { appEvents, appGrants, scriptedHarnesses } from "../../packages/local-github/demo/world.ts";
import { webhookPath } from "../../src/app/door.ts";
import { type RunningServer, startServer } from "../../src/app/server.ts";
import { readSettings } from "../../src/environment/settings.ts";
import { type Baton, startBaton } from "../../src/wire.ts";
import { type GithubUnderTest, githubContract } from "../contract/github.ts";
import { patienceMs } from "../patience.ts";

const webhookSecret = "a-secret-of-this-test";
const place = { owner: "acme", repo: "shop" };

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

describe("the package emulate", () => {
  it("is the one that was read: another package had its name before", () => {
    const { version, description, repository } = JSON.parse(
      readFileSync(new URL("../../node_modules/emulate/package.json", import.meta.url), "utf8"),
    ) as { version: string; description: string; repository: { url: string } };
    expect({ version, description, repository: repository.url }).toEqual({
      version: "0.12.2",
      description: "Local drop-in replacement services for CI and no-network sandboxes",
      repository: "https://github.com/vercel-labs/emulate.git",
    });
  });
});

/** acme/shop with alice in the organization and mallory outside. `webhookUrl` null: the App gets no events. */
async function startEmulate(webhookUrl: string | null): Promise<GithubUnderTest> {
  const emulator = await createEmulator({
    service: "github",
    port: 0,
    seed: {
      tokens: {
        "token-of-alice": { login: "alice", scopes: ["repo"] },
        "token-of-mallory": { login: "mallory", scopes: ["repo"] },
      },
      github: {
        users: [{ login: "alice" }, { login: "mallory" }],
        orgs: [{ login: "acme", members: [{ login: "alice", role: "admin" }] }],
        repos: [{ owner: "acme", name: "shop" }],
        apps: [
          {
            app_id: 12,
            slug: "baton",
            name: "Baton",
            private_key: privateKey,
            permissions: appGrants,
            events: appEvents,
            ...(webhookUrl === null ? {} : { webhook_url: webhookUrl, webhook_secret: webhookSecret }),
            installations: [{ installation_id: 34, account: "acme", repository_selection: "all" }],
          },
        ],
      },
    },
  });
  return {
    apiUrl: emulator.url,
    appId: 12,
    privateKey,
    installationId: 34,
    tokens: { alice: "token-of-alice", mallory: "token-of-mallory" },
    close: () => emulator.close(),
  };
}

githubContract({
  name: "emulate 0.12.2",
  start: () => startEmulate(null),
  missing: {
    "the App's bot has an id": "it has no user for an App's bot",
    "the App reads its delivery log": "it keeps none for an App",
    "collaborators with their permissions": "it lists them without their role",
    "what people wrote anywhere since: comments with their thread, and texts of issues":
      "it lists comments by their thread only",
    "a reaction is given once": "it has no reactions",
    "who pushed a head": "it has no activity of a repository",
    "a pull request is an issue too": "its pull requests are no issues",
    "the files of a pull request": "its pull requests have no files",
    "a pull request's head follows its branch": "the head stays what it was",
    "a check run is made once and then changed, also when the answer was lost":
      "its check runs name no App, so that ours cannot be told from another's",
    "the checks and statuses of a commit, each by who reported it": "it has no commit statuses",
    "a check that failed before and was run again: both tries": "it has no commit statuses",
  },
});

/**
 * Scenarios that need no git, by emulate's own webhooks through the real door. Scenarios that clone, push or wait for checks
 * cannot run, because emulate serves no git over HTTP.
 */
describe("a whole Baton on emulate", () => {
  let github: GithubUnderTest;
  let baton: Baton;
  let server: RunningServer;
  let relay: Server;
  let directory: string;
  let alice: Octokit;
  let mallory: Octokit;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "baton-emulate-"));
    // Each must know the other's address before it starts, so this relay is between them.
    relay = createServer((request, response) => {
      const { "x-hub-signature-256": signature, "x-github-event": event, "x-github-delivery": guid } = request.headers;
      const outgoing = httpRequest(`${server.url}${webhookPath}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-hub-signature-256": signature,
          "x-github-event": event,
          "x-github-delivery": guid,
        },
      });
      outgoing.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 502);
        answer.pipe(response);
      });
      outgoing.on("error", () => response.writeHead(502).end());
      request.pipe(outgoing);
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    github = await startEmulate(`http://127.0.0.1:${(relay.address() as AddressInfo).port}/`);
    const settings = readSettings({
      APP_ID: `${github.appId}`,
      PRIVATE_KEY: github.privateKey,
      WEBHOOK_SECRET: webhookSecret,
      GITHUB_API_URL: github.apiUrl,
      BATON_DATA: join(directory, "data"),
      PORT: "0",
      LOG_LEVEL: "silent",
    });
    const script = join(directory, "script.json");
    writeFileSync(script, "{}");
    baton = await startBaton(settings, { harnesses: scriptedHarnesses(script) });
    server = await startServer(settings, baton);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    alice = new Octokit({ baseUrl: github.apiUrl, auth: github.tokens.alice, log });
    mallory = new Octokit({ baseUrl: github.apiUrl, auth: github.tokens.mallory, log });
  });

  afterAll(async () => {
    await server.close();
    await baton.stop();
    await github.close();
    relay.closeAllConnections();
    relay.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  async function issue(): Promise<number> {
    const { data } = await alice.rest.issues.create({
      ...place,
      title: "The total is wrong",
      body: "It ignores the count.",
    });
    return data.number;
  }

  const say = (number: number, body: string, as = alice) =>
    as.rest.issues.createComment({ ...place, issue_number: number, body });

  /** Baton's own comments, once they are as expected. */
  const answers = (number: number, expected: (bodies: string[]) => boolean): Promise<string[]> =>
    vi.waitFor(
      async () => {
        const { data } = await alice.rest.issues.listComments({ ...place, issue_number: number });
        const own = data.filter(({ user }) => user?.login === "baton[bot]").map(({ body }) => body ?? "");
        if (!expected(own)) throw new Error(`Not yet: ${JSON.stringify(own)}`);
        return own;
      },
      { timeout: patienceMs, interval: 50 },
    );

  it("help is answered with the commands", async () => {
    const number = await issue();
    await say(number, "/baton help");
    const [help] = await answers(number, (own) => own.length === 1);
    expect(help).toContain("/baton run");
  });

  it("a typo is answered with a suggestion and never executed", async () => {
    const number = await issue();
    await say(number, "/baton rnu");
    const [answer] = await answers(number, (own) => own.length === 1);
    expect(answer).toContain("/baton run");
    expect(await baton.dependencies.store.runs({ active: true })).toEqual([]);
  });

  it("a stranger is refused, and nothing runs", async () => {
    const number = await issue();
    await say(number, "/baton run", mallory);
    const [answer] = await answers(number, (own) => own.length === 1);
    expect(answer).toContain("mallory");
    expect(await baton.dependencies.store.runs({ active: true })).toEqual([]);
  });

  it("a run begins with one status comment, edited in place, and is cancelled by a word", async () => {
    const number = await issue();
    await say(number, "/baton run --harness command --without approver");
    const [status] = await answers(number, (own) => own.length === 1);
    expect(status).toContain("baton:op=status:");
    await say(number, "/baton cancel");
    const own = await answers(number, (bodies) => bodies.some((body) => /cancelled/i.test(body)));
    expect(own.filter((body) => body.includes("baton:op=status:"))).toHaveLength(1);
    await vi.waitFor(async () => expect(await baton.dependencies.store.runs({ active: true })).toEqual([]), {
      timeout: patienceMs,
      interval: 50,
    });
  });
});
