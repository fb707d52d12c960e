/** A request gets the repository's key, the owner's, or the general one. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readSettings } from "../../environment/settings.ts";
import type { ModelProxy } from "../../ports/model-proxy.ts";
import { startModelProxy } from "./proxy.ts";
import { ownerUpstreamsOf, upstreamsOf } from "./upstreams.ts";

const seen: (string | undefined)[] = [];
const server = createServer((request, response) => {
  seen.push(request.headers.authorization ?? String(request.headers["x-api-key"]));
  response.writeHead(200, { "content-type": "application/json" }).end('{"data":[]}');
});
let proxy: ModelProxy | null = null;
beforeEach(async () => {
  seen.length = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await proxy?.close();
  await new Promise((resolve) => server.close(resolve));
});

const ownKeys = {
  Acme: { ANTHROPIC_API_KEY: "key-of-acme" },
  "acme/shop": { CLAUDE_CODE_OAUTH_TOKEN: "login-of-shop" },
  "other/tool": { OPENAI_API_KEY: "key-of-tool" },
};

async function keyFor(repository: string | undefined, general: Record<string, string>): Promise<string | null> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { harness, secrets } = readSettings({
    BATON_KEYS: JSON.stringify(ownKeys),
    ANTHROPIC_BASE_URL: url,
    ...general,
  });
  expect(secrets).toEqual(expect.arrayContaining(["key-of-acme", "login-of-shop", "key-of-tool"]));
  proxy = await startModelProxy(upstreamsOf(harness), ownerUpstreamsOf(harness));
  const grant = proxy.grant({
    ...(repository === undefined ? {} : { repository }),
    priceUsd: () => 0,
    reserve: async () => 0,
    unknownPrice: "allow",
    tokensMax: null,
    requestsMax: null,
    models: null,
    providers: null,
    onUse: () => {},
    onRefusal: () => {},
  });
  expect(JSON.stringify(grant.models)).not.toMatch(/key-of|login-of|general/);
  const access = grant.models.anthropic;
  if (access === undefined) return null;
  const answer = await fetch(`${access.baseUrl}/v1/models`, { headers: { "x-api-key": access.key } });
  expect(answer.status).toBe(200);
  return seen.at(-1) ?? null;
}

it.each<[string, string | undefined, string | null]>([
  ["its own", "acme/shop", "Bearer login-of-shop"],
  ["its owner's, in any spelling", "ACME/Other", "key-of-acme"],
  ["the general one, where it has one only for another service", "other/tool", "general-key"],
  ["the general one, also under a name that every object has", "constructor/toString", "general-key"],
  ["the general one, where nobody said for whom", undefined, "general-key"],
])("a repository gets %s", async (_, repository, key) => {
  expect(await keyFor(repository, { ANTHROPIC_API_KEY: "general-key" })).toBe(key);
});

it("without a general key, others get none", async () => {
  expect(await keyFor("else/where", {})).toBeNull();
  await proxy?.close();
  expect(await keyFor("acme/blog", {})).toBe("key-of-acme");
});

it.each([
  ["no JSON", "{secret-value", "BATON_KEYS is not JSON"],
  ["an unknown variable", '{"acme":{"ANTHROPIC_KEY":"secret-value"}}', "with the names ANTHROPIC_API_KEY"],
  ["an address as a place", '{"https://github.com/acme":{"OPENAI_API_KEY":"secret-value"}}', "owner or owner/name"],
  ["an empty key", '{"acme":{"OPENAI_API_KEY":" "}}', "BATON_KEYS is not of its form"],
  ["a key instead of its name", '{"acme":{"secret-value":"ANTHROPIC_API_KEY"}}', "BATON_KEYS is not of its form"],
  ["a key instead of the owner", '{"secret-value":"acme"}', "BATON_KEYS is not of its form"],
  [
    "an owner in two spellings",
    '{"Acme":{"OPENAI_API_KEY":"secret-value"},"acme":{"GEMINI_API_KEY":"secret-value"}}',
    "BATON_KEYS names acme twice",
  ],
])("%s is said, without the value", (_, text, problem) => {
  const read = (): unknown => readSettings({ BATON_KEYS: text });
  expect(read).toThrow(problem);
  expect(read).not.toThrow(/secret-value/);
});

it.each([
  ["a cloud's address", { BATON_ANTHROPIC_PLATFORM: "bedrock" }, "https://api.anthropic.com"],
  ["a gateway's address", {}, "https://gateway.example"],
])("with %s an owner's key goes where it belongs", (_, platform, address) => {
  const { harness } = readSettings({
    BATON_KEYS: JSON.stringify(ownKeys),
    ANTHROPIC_BASE_URL: "https://gateway.example",
    AWS_REGION: "us-east-1",
    AWS_BEARER_TOKEN_BEDROCK: "bedrock-key",
    ...platform,
  });
  const own = ownerUpstreamsOf(harness);
  expect([own["acme"]?.anthropic, own["acme/shop"]?.anthropic]).toMatchObject([
    { baseUrl: address, secret: "key-of-acme" },
    { baseUrl: address, secret: "login-of-shop" },
  ]);
});
