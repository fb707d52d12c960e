import { expect, it } from "vitest";
import { product } from "../core/product.ts";
import { readSettings } from "./settings.ts";
import { startFacts } from "./start-facts.ts";

it("says version, data, database, GitHub, harnesses and sandbox, and no secret", () => {
  const facts = startFacts(
    readSettings({
      BATON_DATA: "/srv/baton",
      DATABASE_URL: "postgres://baton:hunter2@db.example:5433/baton",
      ANTHROPIC_API_KEY: "sk-hunter2",
      CLAUDE_CODE_OAUTH_TOKEN: "hunter2",
      BATON_HARNESS_COMMAND: '["my-agent"]',
      GHE_HOST: "github.example.com",
    }),
  );
  expect(facts).toEqual({
    version: product.version,
    data: "/srv/baton",
    database: "PostgreSQL at db.example:5433",
    github: "https://github.example.com/api/v3",
    harnesses: expect.stringMatching(/^claude-code, .*command$/),
    sandbox: "require",
  });
  expect(JSON.stringify(facts)).not.toContain("hunter2");
  expect(startFacts(readSettings({}))).toMatchObject({ database: "embedded", harnesses: "none has a key" });
});

it.each<[Record<string, string>, string | RegExp]>([
  [
    { BATON_ANTHROPIC_PLATFORM: "bedrock", AWS_REGION: "us-east-1", AWS_BEARER_TOKEN_BEDROCK: "hunter2" },
    /^claude-code \(bedrock\)/,
  ],
  [{ BATON_GEMINI_PLATFORM: "vertex", GOOGLE_CLOUD_PROJECT: "p" }, /gemini \(vertex\)/],
  [{ BATON_KEYS: '{"acme":{"ANTHROPIC_API_KEY":"hunter2"}}' }, "own keys of 1 owner or repository"],
])("%j: a cloud's login and owners' keys count", (variables, harnesses) => {
  expect(startFacts(readSettings(variables)).harnesses).toMatch(harnesses);
});
