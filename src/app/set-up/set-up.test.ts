/** The set-up page as a person uses it, against the local GitHub. */
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { startLocalGithub } from "../../../packages/local-github/src/local-github.ts";
import { readSettings } from "../../environment/settings.ts";
import { withValues } from "./env-file.ts";
import { type Manifest, manifestOf } from "./manifest.ts";
import { registerPage } from "./pages.ts";
import { setUp } from "./set-up.ts";

const text = async (response: Response): Promise<string> => response.text();
const entities: Record<string, string> = { "&quot;": '"', "&amp;": "&", "&#39;": "'", "&lt;": "<", "&gt;": ">" };
const unescaped = (html: string): string => html.replaceAll(/&(?:quot|amp|#39|lt|gt);/g, (one) => entities[one] ?? one);

it("registers a private App, keeps its credentials for this user, takes a key, shows the test delivery, and starts", async () => {
  const directory = mkdtempSync(join(tmpdir(), "baton-set-up-"));
  const envFile = join(directory, ".env");
  writeFileSync(envFile, "LOG_LEVEL=debug\nAPP_ID=\n", { mode: 0o644 });
  await using github = await startLocalGithub();
  github.createUser({ login: "ada" });
  const printed = Promise.withResolvers<string>();
  const settings = { ...readSettings({ GITHUB_API_URL: github.apiUrl, PORT: "0" }), githubWebUrl: github.url };
  // As `npm start` reads the file before.
  const environment: Record<string, string | undefined> = { APP_ID: "" };
  const ends = setUp({ settings, environment, envFile, print: printed.resolve });
  try {
    const address = new URL(/http:\S+/.exec(await printed.promise)?.[0] ?? "");
    const key = address.searchParams.get("key") ?? "";
    const at = (path: string): string => `${address.origin}${path}`;
    const post = (path: string, fields: Record<string, string>) =>
      fetch(at(path), { method: "POST", body: new URLSearchParams(fields) });
    expect((await fetch(at("/"))).status).toBe(403);
    expect((await post("/start", { key: "x".repeat(key.length) })).status).toBe(403);

    const shown = await fetch(address);
    expect(shown.headers.get("content-security-policy")).toContain(`form-action 'self' ${github.url}`);
    const page = await text(shown);
    const manifest = JSON.parse(unescaped(/name="manifest" value="([^"]*)"/.exec(page)?.[1] ?? "")) as Manifest;
    expect(manifest.public).toBe(false);
    // The page asks for what `app.yml` lists, and for nothing else.
    const listed = parse(readFileSync(new URL("../../../app.yml", import.meta.url), "utf8")) as Manifest;
    expect(manifest.default_permissions).toEqual(listed.default_permissions);
    expect(manifest.default_events).toEqual(listed.default_events);
    expect(page).toContain("<td>reads the base, pushes baton/* branches, merges approved changes</td>");
    expect(page).toContain(`${github.url}/settings/apps/new?state=${key}`);

    const { code, appId } = github.registerManifest({ as: "ada", manifest });
    expect((await fetch(at(`/registered?code=${code}&state=wrong`))).status).toBe(403);
    const deliver = (event: string, secret: string) => {
      const body = JSON.stringify({ zen: "x" });
      const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
      const headers = { "x-github-event": event, "x-hub-signature-256": signature, "content-type": "application/json" };
      return fetch(at("/api/github/webhooks"), { method: "POST", body, headers });
    };
    // GitHub sends its test now, before anybody here knows the secret.
    const secretAtGithub = [...github.state.apps.values()].find(({ id }) => id === appId)?.webhook?.secret ?? "";
    expect((await deliver("ping", secretAtGithub)).status).toBe(202);
    expect((await deliver("ping", "another")).status).toBe(202);
    expect((await deliver("installation", secretAtGithub)).status).toBe(401);
    // Nothing can be kept. The code is used, and a second look finds the credentials again.
    mkdirSync(`${envFile}.${process.pid}.new`);
    const failed = await fetch(at(`/registered?code=${code}&state=${key}`));
    expect([failed.status, await text(failed)]).toEqual([502, expect.stringContaining("reload this page")]);
    expect(await text(await fetch(address))).toContain("Register the App");
    rmdirSync(`${envFile}.${process.pid}.new`);
    const next = await text(await fetch(at(`/registered?code=${code}&state=${key}`)));
    expect(next).toContain("baton is registered");
    expect(statSync(envFile).mode & 0o777).toBe(0o600);
    const kept = parseEnv(readFileSync(envFile, "utf8"));
    expect(kept).toMatchObject({ APP_ID: `${appId}`, LOG_LEVEL: "debug" });
    expect(readSettings({ ...kept }).app).toMatchObject({ id: appId, secrets: [kept["WEBHOOK_SECRET"]] });

    // The running process starts with them.
    expect(environment).toMatchObject({ APP_ID: `${appId}`, PRIVATE_KEY: kept["PRIVATE_KEY"] });
    expect(await text(await post("/delivery", { key }))).toContain("The delivery `ping` arrived at");
    expect((await deliver("ping", "another")).status).toBe(401);
    const secret = kept["WEBHOOK_SECRET"] ?? "";
    expect((await deliver("ping", secret)).status).toBe(202);
    expect(await text(await post("/delivery", { key }))).toContain("The delivery `ping` arrived at");
    // Nobody keeps it yet, so GitHub may not believe that it arrived.
    expect((await deliver("installation", secret)).status).toBe(503);

    await post("/model-key", { key, name: "PATH", value: "/evil" });
    expect(await text(await post("/model-key", { key, name: "OPENAI_API_KEY", value: "a\"b'c`d" }))).toContain(
      "cannot hold",
    );
    expect(await text(await post("/model-key", { key, name: "OPENAI_API_KEY", value: "sk-1" }))).toContain(
      "<code>OPENAI_API_KEY</code> is set",
    );
    expect(parseEnv(readFileSync(envFile, "utf8"))).toMatchObject({ OPENAI_API_KEY: "sk-1" });
    expect(readFileSync(envFile, "utf8")).not.toContain("evil");
    expect(await text(await post("/start", { key }))).toContain(`${github.url}/apps/baton/installations/new`);
    await ends;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it.each([
  ["http://127.0.0.1:3000", true],
  ["http://localhost:3000", true],
  ["https://baton.example.com", false],
])("%s: the page says whether GitHub can reach it: %j", (origin, warns) => {
  const manifest = manifestOf({ hookUrl: `${origin}/api/github/webhooks`, redirectUrl: `${origin}/registered` });
  const html = registerPage({
    manifest,
    permissions: [],
    webUrl: "https://github.com",
    state: "s",
    organization: "a<b",
  });
  expect(html.includes("GitHub cannot reach this address")).toBe(warns);
  expect(html).not.toContain("a<b");
  expect(html).toContain("https://github.com/organizations/a%3Cb/settings/apps/new?state=s");
});

it.each<[string, string, Record<string, string>, string]>([
  ["an empty file", "", { A: "1" }, 'A="1"\n'],
  ["others stay, and each name is there once", "# mine\nB=2\nexport A=0\n\n", { A: "1" }, '# mine\nB=2\nA="1"\n'],
  ["several lines in one", "", { KEY: "a\nb\n" }, 'KEY="a\\nb\\n"\n'],
  ["all lines of an old value go", "KEY='a\nb\n'\nB=2\n", { KEY: "c" }, 'B=2\nKEY="c"\n'],
  ["a line within another's value stays", 'B="x\nA=0\ny"\n', { A: "1" }, 'B="x\nA=0\ny"\nA="1"\n'],
  ["a quote that nobody closes", 'A="0\nB=2\n', { A: "1" }, 'B=2\nA="1"\n'],
  ["quotes and backslashes", "", { A: 'x"y\\n' }, "A='x\"y\\n'\n"],
])("%s", (_, before, values, after) => {
  const written = withValues(before, values);
  expect(written).toBe(after);
  expect(parseEnv(written)).toMatchObject(values);
});
