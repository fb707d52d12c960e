/** A race on the local GitHub: two harnesses of different quality, the repository's CI as the judge. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import type { Harness, HarnessResult } from "../../src/ports/harness.ts";
import {
  comments,
  ends,
  type ObservedWorld,
  observedWorld,
  ownComments,
  pulls,
  repositoryOf,
  runState,
  say,
} from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

const capabilities = {
  resume: false,
  readOnly: true,
  systemPrompt: true,
  maxTurns: true,
  maxUsd: true,
  reportsUsage: true,
  reportsCost: true,
  toolServers: false,
};

/** Writes the contents of `files` wherever it may write. With `hangs`, it waits for the abort. */
function racer(name: string, files: Record<string, string>, { costUsd = 0.01, hangs = false } = {}): Harness {
  return {
    name,
    capabilities,
    defaultModel: `${name}-model`,
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run(request, onEvent, signal): Promise<HarnessResult> {
      const writes = request.access === "write";
      if (writes) for (const [path, text] of Object.entries(files)) writeFileSync(join(request.cwd, path), text);
      const tokens = { input: 100, output: 10, cacheRead: 0, cacheWrite: 0 };
      const model = request.model ?? `${name}-model`;
      const spentUsd = writes ? costUsd : 0.01;
      onEvent({ type: "usage", model, tokens, costUsd: spentUsd });
      if (hangs && writes && !signal.aborted)
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return {
        ok: !signal.aborted,
        error: signal.aborted ? { code: "BATON_CANCELLED", message: "stopped" } : null,
        text: writes ? "Done." : (sampleScript.plan[0]?.text ?? ""),
        sessionId: null,
        usage: [{ model, tokens, costUsd: spentUsd }],
        turns: 1,
        exitCode: 0,
        signal: null,
        transcript: "",
        transcriptTruncated: false,
        durationMs: 1,
      };
    },
  };
}

const good = sampleScript.repair[0]?.files ?? {};
const wrong = sampleScript.implement[0]?.files ?? {};
const branches = (): string[] => [...repositoryOf(world).refs.keys()].map((ref) => ref.replace("refs/heads/", ""));
const begin = async (config: string, command: string, ...harnesses: Harness[]): Promise<void> => {
  world = await observedWorld({
    // Several agents, pushes, drafts and checks at once.
    config: `version: 1\nharness: { default: ${harnesses[0]?.name} }\n${config}\n`,
    harnesses: new Map(harnesses.map((harness) => [harness.name, harness])),
  });
  say(world, command);
};

it("the green one wins against the red, and against one that spends more than its share; losers' branches and drafts go", async () => {
  await begin(
    "breakpoints: { review: auto }",
    "/baton race hasty tidy rich --budget 3 -- Keep it small.",
    racer("hasty-cli", wrong),
    racer("tidy", good, { costUsd: 0.02 }),
    racer("rich", good, { costUsd: 2, hangs: true }),
  );
  const state = await ends(world);
  expect(state.outcome?.verdict).toMatchObject({ status: "passed" });
  expect(state.effects.get("race/rich/implement" as never)?.error?.code).toBe("BATON_SHARE_EXCEEDED");
  const table = ownComments(world).find((body) => body.includes("### The race")) ?? "";
  expect(table).toMatch(
    /\| 2 \| hasty-cli \(#\d+\) \| hasty-cli-model \| ❌ 1 failed \| \d+ lines \| \$0\.0100 \| behind tidy: its checks are green \|/,
  );
  expect(table).toMatch(
    /\| \*\*1\*\* \| tidy \(#\d+\) \| tidy-model \| ✅ green \| \d+ lines \| \$0\.0200 \| ahead of hasty-cli: its checks are green \|/,
  );
  expect(table).toMatch(
    /\| out \| rich \|.*\| \$1\.60 \| BATON\\?_SHARE\\?_EXCEEDED: It used 1\.60 USD of the 0\.80 USD/,
  );
  // One pull request stays open, with the winner's commit. No branch of a contestant stays.
  const open = pulls(world).filter(({ state: is }) => is === "open");
  expect(open).toHaveLength(1);
  expect(open[0]?.pull).toMatchObject({ draft: false });
  expect(branches().filter((name) => name.startsWith("baton/issue-"))).toEqual([
    expect.stringMatching(/^baton\/issue-\d+-the-total[a-z-]*$/),
  ]);
  expect(JSON.stringify(state.effects.get("race/tidy/implement" as never)?.input)).toContain("Keep it small.");
  say(world, "/baton why");
  await world.until("the answer", () => ownComments(world).find((body) => body.includes("[Decisions and evidence](")));
  const why = ownComments(world).find((body) => body.includes("**Judged**"));
  expect(why).toMatch(
    /\*\*race\*\*: tidy wins: ahead of hasty-cli: its checks are green\..*\n.*\*\*hasty-cli\*\*: place 2/,
  );
});

it("a cancel in the middle takes the pushed branches away", async () => {
  await begin(
    "race: { checks: push }",
    "/baton race tidy slow",
    racer("tidy", good),
    racer("slow", wrong, { hangs: true }),
  );
  await world.until(
    "the first to be judged",
    async () => (await runState(world))?.effects.get("race/tidy/checks" as never)?.status === "succeeded",
  );
  expect(branches().some((name) => name.endsWith("-tidy"))).toBe(true);
  say(world, "/baton cancel");
  const state = await ends(world);
  expect(state.status).toBe("cancelled");
  expect(branches().filter((name) => name.startsWith("baton/"))).toEqual([]);
  expect(pulls(world)).toEqual([]);
  expect(existsSync(world.directory)).toBe(true);
  expect(comments(world, world.issue).some(({ body }) => body.includes("### The race"))).toBe(false);
});

it.each([
  ["/baton race tidy tidi", /Harness "tidi" is not known\. Did you mean `tidy`\? Known: tidy\./],
  ["/baton race tidy codex:claude-opus-4-5", /`codex` does not serve the model `claude-opus-4-5`\. .*`--harness tidy`/],
  ["/baton race tidy codex --budget 0.02", /leaves 2 contestants nothing to work with/],
  ["/baton run --harness codx", /Harness "codx" is not known\. Did you mean `codex`\?/],
  ["/baton run --harness codex --model claude-opus-4-5", /`codex` does not serve/],
  ["/baton race tidy tidy", /takes part twice/],
  ["/baton race tidy:a tidy:b tidy:c", /at most 2 contestants here/],
  ["/baton race tidy", /needs at least 2 of/],
  ["/baton run race", /A race needs its contestants/],
])("%s is refused", async (command, words) => {
  await begin(
    "race: { contestants: 2 }",
    command,
    racer("tidy", good),
    ...(command.includes("cod") ? [racer("codex", good)] : []),
  );
  await world.until("the refusal", () => ownComments(world).find((body) => words.test(body)));
  expect(await runState(world)).toBeNull();
});
