/** A base world for the tests of this folder: an owner, a repository with a failing test, an installed App. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { gitEnvironment } from "./git.ts";
import { type LocalGithub, type LocalGithubOptions, startLocalGithub } from "./local-github.ts";

const sampleFiles = {
  "package.json": '{ "name": "sample", "type": "module" }\n',
  "sum.js": "export const sum = (a, b) => a - b;\n",
  "sum.test.js":
    'import test from "node:test";\nimport assert from "node:assert";\nimport { sum } from "./sum.js";\ntest("adds", () => assert.equal(sum(1, 2), 3));\n',
  "docs/readme.md": "# Sample\n",
};
export const goodSum = { "sum.js": "export const sum = (a, b) => a + b;\n" };
const sampleCi = { name: "test", command: [process.execPath, "--test"], timeoutMs: 20_000 };

interface Received {
  headers: Record<string, string>;
  event: string;
  action: string | null;
  body: string;
  payload: { [key: string]: unknown };
}

export interface TestWorld extends AsyncDisposable {
  github: LocalGithub;
  app: ReturnType<LocalGithub["createApp"]>;
  installationId: number;
  /** As the installation. */
  octokit: Octokit;
  /** As the App itself. */
  appOctokit: Octokit;
  /** As a person. */
  as(login: string): Octokit;
  received: Received[];
  /** `event.action` of all received webhooks, in order. */
  events(): string[];
  token(options?: { permissions?: Record<string, string>; repositories?: string[] }): Promise<string>;
}

const run = promisify(execFile);

export async function gitIn(directory: string, ...args: string[]): Promise<string> {
  const identity = { GIT_AUTHOR_NAME: "T", GIT_AUTHOR_EMAIL: "t@example.com" };
  const committer = { GIT_COMMITTER_NAME: "T", GIT_COMMITTER_EMAIL: "t@example.com" };
  const { stdout } = await run("git", args, { cwd: directory, env: { ...gitEnvironment, ...identity, ...committer } });
  return stdout.trim();
}

export const webhookSecret = "not-a-secret";

export async function createTestWorld(
  options: LocalGithubOptions & { ci?: boolean; grants?: Record<string, "read" | "write"> } = {},
): Promise<TestWorld> {
  const received: Received[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const payload = JSON.parse(body) as { [key: string]: unknown };
      const action = typeof payload["action"] === "string" ? payload["action"] : null;
      received.push({ headers, event: headers["x-github-event"] ?? "", action, body, payload });
      response.writeHead(202).end("ok");
    });
  });
  receiver.listen(0, "127.0.0.1");
  await new Promise((resolve) => receiver.once("listening", resolve));

  const github = await startLocalGithub(options);
  const tokens = new Map<string, string>();
  for (const login of ["ada", "bob", "eve"]) tokens.set(login, github.createUser({ login }).token);
  github.createOrganization({ login: "acme", members: ["ada"] });
  await github.createRepository({
    owner: "acme",
    name: "web",
    files: sampleFiles,
    ci: options.ci === true ? sampleCi : null,
  });
  github.setPermission({ repository: "acme/web", login: "ada", permission: "admin" });
  github.setPermission({ repository: "acme/web", login: "bob", permission: "write" });
  await github.settle();

  const grants = options.grants ?? {
    contents: "write",
    issues: "write",
    pull_requests: "write",
    checks: "write",
    statuses: "write",
    actions: "read",
    administration: "read",
  };
  const port = (receiver.address() as AddressInfo).port;
  const app = github.createApp({
    slug: "baton",
    ownerLogin: "acme",
    grants,
    events: [
      "issues",
      "issue_comment",
      "pull_request",
      "pull_request_review",
      "pull_request_review_comment",
      "push",
      "create",
      "delete",
      "check_run",
      "check_suite",
      "status",
    ],
    webhook: { url: `http://127.0.0.1:${port}/`, secret: webhookSecret },
  });
  const { id: installationId } = github.installApp({ appId: app.id, account: "acme", as: "ada" });
  await github.settle();
  received.length = 0;

  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const base = { baseUrl: github.apiUrl, log: silent };
  const auth = { appId: app.id, privateKey: app.privateKey };
  const appOctokit = new Octokit({ ...base, authStrategy: createAppAuth, auth });
  return {
    github,
    app,
    installationId,
    appOctokit,
    octokit: new Octokit({ ...base, authStrategy: createAppAuth, auth: { ...auth, installationId } }),
    as: (login) => new Octokit({ ...base, auth: tokens.get(login) }),
    received,
    events: () => received.map((one) => (one.action === null ? one.event : `${one.event}.${one.action}`)),
    async token(narrow = {}) {
      const { data } = await appOctokit.rest.apps.createInstallationAccessToken({
        installation_id: installationId,
        ...(narrow as object),
      });
      return data.token;
    },
    async [Symbol.asyncDispose]() {
      await github.close();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
    },
  };
}
