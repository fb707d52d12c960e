/**
 * Git over HTTP: git's own `http-backend` as CGI, behind the same tokens and grants as the API.
 *
 * H1 No caller without the grant reaches git's child. A missing or wrong token gets 401. Too few grants get 403, and an
 *     invisible repository gets 404 (A2).
 * H2 A push is over, for everybody, when the state has its ref changes.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launcherBySize } from "../../../src/adapters/child/launcher.ts";
import { type Actor, authenticate, demand, doerOf } from "./access.ts";
import { notFound, Refusal } from "./answer.ts";
import { absorbPush } from "./deeds/refs.ts";
import { git, gitEnvironment } from "./git.ts";
import { type PushedRef, pushViolations } from "./rules.ts";
import { gitDirectory, type Site } from "./site.ts";
import { findRepository, fullName, type Repository } from "./state.ts";

export interface GitCall {
  owner: string;
  name: string;
  /** `/info/refs`, `/git-upload-pack`, `/git-receive-pack`. */
  service: string;
  isPush: boolean;
}

export function parseGitCall(method: string, url: URL): GitCall | null {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/.exec(url.pathname);
  if (match === null) return null;
  const [, owner = "", name = "", service = ""] = match;
  const asked = service === "/info/refs" ? url.searchParams.get("service") : service.slice(1);
  if (asked === null || (method === "GET") !== (service === "/info/refs")) return null;
  return { owner, name, service, isPush: asked === "git-receive-pack" };
}

export function admitGit(site: Site, call: GitCall, authorization: string | undefined) {
  const actor = authenticate(site, authorization);
  const repository = findRepository(site.state, call.owner, call.name);
  const challenge = new Refusal(401, "Authentication required", {
    headers: { "www-authenticate": 'Basic realm="GitHub"' },
  });
  if (repository === undefined) throw actor.kind === "anonymous" ? challenge : notFound();
  if (actor.kind === "anonymous" && (call.isPush || repository.private)) throw challenge;
  const need = call.isPush ? "contents:write" : "contents:read";
  demand(site.state, actor, { repository, need, role: call.isPush ? "write" : "read" });
  // Source: https://docs.github.com/en/repositories/archiving-a-github-repository/archiving-repositories
  if (call.isPush && repository.archived) throw new Refusal(403, "This repository was archived so it is read-only.");
  return { actor, repository };
}

/** `silent`: the work is done, but the caller never gets the answer. */
export async function serveGit(
  site: Site,
  given: {
    call: GitCall;
    actor: Actor;
    repository: Repository;
    request: IncomingMessage;
    response: ServerResponse;
    url: URL;
    silent: boolean;
  },
): Promise<number> {
  const serve = () => runBackend(site, given);
  if (given.call.service !== "/git-receive-pack") return serve();
  return site.locked(given.repository.id, async () => {
    const status = await serve();
    await absorbPush(site, given.repository, doerOf(given.actor));
    if (!given.response.writableEnded) given.response.end();
    return status;
  });
}

let backend: Promise<string> | null = null;

/** git's program itself. `git http-backend` starts a program to find this one. */
function backendProgram(): Promise<string> {
  backend ??= git("/", ["--exec-path"]).then((text) => join(text.trim(), "git-http-backend"));
  return backend;
}

/**
 * The first answer to a reader, by the file that it follows from. In git's second protocol it names what the server can do,
 * and no ref.
 * Source: https://git-scm.com/docs/protocol-v2 ("Capability Advertisement")
 */
const advertised = new Map<string, Buffer>();
const advertisedMax = 1_000;

/** Null: this call gets another answer. */
async function advertisementOf(site: Site, { call, request, repository }: Parameters<typeof serveGit>[1]) {
  if (call.isPush || call.service !== "/info/refs" || request.headers["git-protocol"] !== "version=2") return null;
  const path = join(gitDirectory(site, repository.id), "config");
  const { mtimeMs, size } = await stat(path);
  return `${path}\0${mtimeMs}\0${size}`;
}

async function runBackend(site: Site, given: Parameters<typeof serveGit>[1]): Promise<number> {
  const { call, request, response } = given;
  const lasting = await advertisementOf(site, given);
  const known = lasting === null ? undefined : advertised.get(lasting);
  if (known !== undefined) {
    if (given.silent) return 200;
    const end = known.indexOf("\r\n\r\n");
    const status = writeHead(response, known.subarray(0, end).toString());
    response.end(known.subarray(end + 4));
    return status;
  }
  const starter = await launcherBySize();
  const child = await starter.start({
    command: [await backendProgram()],
    cwd: "/",
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: gitDirectory(site, given.repository.id),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: call.service,
      REQUEST_METHOD: request.method ?? "GET",
      QUERY_STRING: given.url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_USER: given.actor.kind === "anonymous" ? "" : String(doerOf(given.actor).accountId),
      ...(call.service === "/git-receive-pack" ? await pushHook(site, given.repository, given.actor) : {}),
      ...(request.headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: request.headers["content-length"] }),
    },
    input: request,
  });
  child.stderr?.resume();
  let head = Buffer.alloc(0);
  let status = 0;
  const whole: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => {
    if (lasting !== null) whole.push(chunk);
    if (given.silent) return;
    if (status !== 0) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    status = writeHead(response, head.subarray(0, end).toString());
    response.write(head.subarray(end + 4));
  });
  const closed = new Promise((resolve) => child.stdout?.once("close", resolve).resume());
  await child.exited;
  if (child.pid === undefined) throw new Error("git could not be started.");
  await closed;
  if (lasting !== null && status === 200) {
    if (advertised.size >= advertisedMax) advertised.clear();
    advertised.set(lasting, Buffer.concat(whole));
  }
  // A push gets its answer only when the state has its consequences.
  if (!given.silent && call.service !== "/git-receive-pack") response.end();
  return status === 0 ? 200 : status;
}

const hookProgram = fileURLToPath(new URL("./pre-receive.mjs", import.meta.url));

/**
 * An App's token without `workflows: write` cannot push a commit that touches a workflow file, on any ref.
 * Source: https://github.com/peter-evans/create-pull-request/issues/1234 (the words, for `GITHUB_TOKEN`)
 */
const workflowCheck = [
  `printf '%s\\n' "$changes" | while read -r from to ref; do`,
  `  case "$to" in *[!0]*) ;; *) continue ;; esac`,
  `  path=$(git log -1 --format= --name-only "$to" --not --all -- .github/workflows | head -n 1)`,
  `  [ -z "$path" ] && continue`,
  "  printf 'refusing to allow a GitHub App to create or update workflow `%s` without `workflows` permission\\n' \"$path\" >&2",
  "  exit 1",
  "done || exit 1",
  "",
].join("\n");

/** The hook that git runs before it accepts a push. It checks the token's permissions and the repository's rules. */
async function pushHook(site: Site, repository: Repository, actor: Actor): Promise<Record<string, string>> {
  const rules = repository.ruleSets.length > 0;
  const workflows = actor.kind === "installation" && actor.grants["workflows"] !== "write";
  if (!rules && !workflows) return {};
  const hooks = join(site.directory, `hooks${rules ? "-rules" : ""}${workflows ? "-workflows" : ""}`);
  await mkdir(hooks, { recursive: true });
  const hook = join(hooks, "pre-receive");
  const rulesCheck = `printf '%s\\n' "$changes" | "${process.execPath}" "${hookProgram}"\n`;
  // A test's own hook in the repository runs, too, because git knows only one place for hooks.
  const ownCheck = `if [ -x hooks/pre-receive ]; then printf '%s\\n' "$changes" | hooks/pre-receive || exit 1; fi\n`;
  const script = `#!/bin/sh\nchanges=$(cat)\n${ownCheck}${workflows ? workflowCheck : ""}${rules ? rulesCheck : ""}`;
  if (!existsSync(hook)) {
    // Written whole or not at all, because another push may be about to run it.
    const made = `${hook}-${randomUUID()}`;
    await writeFile(made, script, { mode: 0o755 });
    await rename(made, hook);
  }
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.hooksPath",
    GIT_CONFIG_VALUE_0: hooks,
    LOCAL_GITHUB_RULES: `${site.origin}${rulesPath}${repository.id}`,
  };
}

const rulesPath = "/_rules/";

/**
 * The answer to the hook: nothing where all is allowed, otherwise the text for `git push`. Not a call of GitHub's API.
 */
export function answerHook(site: Site, path: string, changes: readonly PushedRef[]): string | null {
  if (!path.startsWith(rulesPath)) return null;
  const repository = site.state.repositories.get(Number(path.slice(rulesPath.length)));
  if (repository === undefined) return null;
  return changes
    .flatMap((change) => {
      const commits = change.commits.map((commit) => ({
        ...commit,
        signed: repository.signedCommits.has(commit.sha),
      }));
      const violations = pushViolations(repository, { ...change, commits });
      if (violations.length === 0) return [];
      const page = `${site.origin}/${fullName(site.state, repository)}/rules?ref=${encodeURIComponent(change.ref)}`;
      // Source: https://github.com/vercel/sandbox/pull/169 (the lines of a push that rule sets refuse)
      const lines = violations.flatMap((one) => ["", ...`- ${one}`.split("\n")]);
      return [
        `error: GH013: Repository rule violations found for ${change.ref}.`,
        `Review all repository rules at ${page}`,
        ...lines,
        "",
      ];
    })
    .map((line) => `${line}\n`)
    .join("");
}

function writeHead(response: ServerResponse, text: string): number {
  let status = 200;
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number(value.split(" ")[0]);
    else response.setHeader(name, value);
  }
  response.statusCode = status;
  return status;
}
