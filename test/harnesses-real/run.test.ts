/** The main job with real CLIs: `/baton run` on the local GitHub, red checks, a repair, a pull request with green checks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { findByMarker } from "../../src/adapters/child/survivors.ts";
import { defaultModelOf } from "../../src/config/models.ts";
import { type ModelServer, startModelServer, type Turn } from "../fakes/model-server.ts";
import {
  ends,
  type ObservedWorld,
  observedWorld,
  ownComments,
  pulls,
  reaches,
  repositoryOf,
  say,
} from "../scenarios/helpers.ts";
import { isConfined, realHarness } from "./bench.ts";
import { type CliName, chosenClis } from "./cli.ts";

const turns = ({ implement, plan, repair }: typeof sampleScript): Turn[] => {
  const edit = (content = ""): Turn[] => [
    { text: "I will look first.", deeds: [{ read: "cart.js" }] },
    { text: "I will correct it.", deeds: [{ write: "cart.js", content }] },
  ];
  return [
    { text: plan[0]?.text ?? "" },
    ...edit(implement[0]?.files["cart.js"]),
    { text: implement[0]?.text ?? "" },
    ...edit(repair[0]?.files["cart.js"]),
    { text: repair[0]?.text ?? "" },
  ];
};

/** The model proxy asks the scripted model. From inside, only the proxy is reachable. */
const modelServices = (url: string): Record<string, string> => ({
  ANTHROPIC_API_KEY: "sk-ant-0000000000000000000000test",
  ANTHROPIC_BASE_URL: url,
  GEMINI_API_KEY: "AIza-0000000000000000000000test",
  GOOGLE_GEMINI_BASE_URL: url,
  OPENAI_API_KEY: "sk-proj-0000000000000000000000test",
  OPENAI_BASE_URL: `${url}/v1`,
});

let world: ObservedWorld;
let server: ModelServer;
let sessionsDir: string;

beforeEach(async () => {
  server = await startModelServer(turns(sampleScript));
  sessionsDir = mkdtempSync(join(tmpdir(), "baton-sessions-"));
});
afterEach(async () => {
  await world.close();
  await server.close();
  rmSync(sessionsDir, { recursive: true, force: true });
});

const clis: { name: CliName; model: string }[] = [
  { name: "claude-code", model: defaultModelOf("claude-code") },
  { name: "codex", model: defaultModelOf("codex") },
  { name: "gemini", model: defaultModelOf("gemini") },
  { name: "opencode", model: defaultModelOf("opencode") },
  { name: "pi", model: defaultModelOf("pi") },
];

it.each(clis.filter(({ name }) => chosenClis().includes(name)))(
  "$name takes an issue to a pull request with green checks",
  async ({ name, model }) => {
    world = await observedWorld({
      // Real CLIs need long on a busy machine.
      config: `version: 1\nharness: { default: ${name} }\n`,
      harnesses: new Map([[name, realHarness(name, server, { sessionsDir })]]),
      environment: { BATON_SANDBOX: isConfined ? "require" : "off", ...modelServices(server.url) },
    });
    say(world, "/baton run");
    const state = await reaches(world, "review");

    expect([...state.effects.keys()].join(" ")).toBe(
      "plan implement push pull-request checks repair push#2 refresh checks#2 review",
    );
    const [pull] = pulls(world);
    const sha = pull?.pull.headSha as string;
    const files = await fetch(`${world.github.apiUrl}/repos/${repositoryName}/contents/cart.js?ref=${sha}`).then(
      (response) => response.json() as Promise<{ content: string }>,
    );
    expect(Buffer.from(files.content, "base64").toString()).toBe(sampleScript.repair[0]?.files["cart.js"]);
    const checks = [...repositoryOf(world).checkRuns.values()].filter(({ name: check }) => check === "test");
    expect(checks.at(-2)).toMatchObject({ conclusion: "failure", headSha: expect.not.stringMatching(sha) });
    expect(checks.at(-1)).toMatchObject({ conclusion: "success", headSha: sha });
    expect(pull?.body).toMatch(/Begin the sum at 0.*### What changed.*cart\.js/s);

    // Each step asked the model in its own words, and the repair knew the reason.
    expect(server.requests).toHaveLength(7);
    const asked = server.requests.map(({ user }) => user.join("\n"));
    expect(asked[0]).toContain("Change nothing. Explore the repository");
    expect(asked[1]).toContain("Carry the plan out, whole");
    expect(asked[4]).toContain("Reduce of empty array");
    for (const { system, user } of server.requests) expect(`${system}${user.join()}`).toMatch(/Do not (?:push|commit)/);

    world.github.review({ repository: repositoryName, number: pull?.number as number, as: "bob", event: "APPROVE" });
    const end = await ends(world);
    expect(end.outcome?.verdict.status).toBe("passed");
    // Each answer has 1,200 tokens in, 85 out, 300 read, 40 written, charged once. Codex does not report cache writes. The
    // CLI's side requests, such as a title, cost money as well.
    const answers = 7 + server.sideRequests.length;
    const tokens = [...end.effects.values()].flatMap(({ attempts }) => attempts.flatMap(({ usage }) => usage));
    expect(new Set(tokens.map((used) => used.model))).toEqual(new Set([model]));
    expect(tokens.reduce((sum, used) => sum + used.tokens.output, 0)).toBe(answers * 85);
    expect(tokens.reduce((sum, used) => sum + used.tokens.cacheRead, 0)).toBe(answers * 300);
    expect(tokens.reduce((sum, used) => sum + used.tokens.input + used.tokens.cacheWrite, 0)).toBe(answers * 1_240);
    expect(ownComments(world)[1]).toMatch(new RegExp(`Cost by step.*${model}.*\\*\\*Total\\*\\*`, "s"));
    for (const effect of ["plan", "implement", "repair"])
      expect(await findByMarker(`${end.runId}/${effect}/1`)).toEqual([]);
  },
);
