/** An attempt that ends early leaves its work in the journal, in the thread, and for the next attempt (SUBOBS-004). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { Harness, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import { ends, type ObservedWorld, observedWorld, ownComments, runState, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

type End = ErrorCode | "spends" | "hangs" | null;

/** Works like the sample. The first writing attempt reports its progress, writes half of the work and ends as configured. */
function harness(end: End, asked: HarnessRequest[]): Harness {
  let writes = 0;
  return {
    name: "half",
    capabilities: {
      resume: false,
      readOnly: true,
      systemPrompt: true,
      maxTurns: true,
      maxUsd: true,
      reportsUsage: true,
      reportsCost: true,
      toolServers: false,
    },
    defaultModel: "m",
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run(request, onEvent, signal): Promise<HarnessResult> {
      asked.push(request);
      const writing = request.access === "write";
      const first = writing && writes === 0;
      if (writing) writes += 1;
      const tokens = { input: 100, output: 10, cacheRead: 0, cacheWrite: 0 };
      let used = { model: "m", tokens, costUsd: 0.01 };
      if (first) {
        onEvent({ type: "tool", name: "TodoWrite", detail: "- [x] find it\n- [ ] mend it", state: "started" });
        onEvent({ type: "text", text: "The sum forgets the count </details> ```" });
        onEvent({ type: "tool", name: "edit", detail: "half.txt", state: "started" });
        writeFileSync(join(request.cwd, "half.txt"), "half\n");
        if (end === "spends") used = { ...used, tokens: { ...tokens, input: 5_000 } };
      } else if (writing)
        for (const [path, content] of Object.entries(sampleScript.repair[0]?.files ?? {}))
          writeFileSync(join(request.cwd, path), content);
      onEvent({ type: "usage", ...used });
      if (first && end === "hangs")
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      const code = first && end !== "spends" && end !== "hangs" ? end : null;
      const error = signal.aborted
        ? { code: "BATON_CANCELLED" as const, message: "stopped" }
        : code === null
          ? null
          : { code, message: "It is so.", retryAfterMs: 0 };
      return {
        ok: error === null,
        error,
        text: writing ? "Done." : (sampleScript.plan[0]?.text ?? ""),
        sessionId: null,
        usage: [used],
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

const begin = async (end: End, config = ""): Promise<HarnessRequest[]> => {
  const asked: HarnessRequest[] = [];
  world = await observedWorld({
    config: `version: 1\nharness: { default: half }\nbreakpoints: { review: auto }\n${config}\n`,
    harnesses: new Map([["half", harness(end, asked)]]),
  });
  say(world, "/baton run");
  return asked;
};
const partial = {
  text: "The sum forgets the count </details> ```",
  todo: "- [x] find it\n- [ ] mend it",
  lastAction: "edit half.txt",
  turns: 1,
};

it.each([
  ["a time limit", "BATON_TIMEOUT", ""],
  ["a hang", "BATON_HARNESS_HUNG", ""],
  ["tokens that the harness reports, beyond `limits.attemptTokens`", "spends", "limits: { attemptTokens: 2000 }"],
] as const)("%s: the next attempt has the commits and the words of the first", async (_what, end, config) => {
  const asked = await begin(end, config);
  const state = await ends(world);
  expect(state.outcome?.verdict.status).toBe("passed");
  const [first, second] = state.effects.get("implement" as never)?.attempts ?? [];
  expect(first).toMatchObject({
    error: { code: end === "spends" ? "BATON_HARNESS_TOKENS" : end },
    partial,
    kept: { headSha: expect.stringMatching(/^[0-9a-f]{40}$/), partial },
  });
  expect(second?.error).toBeNull();
  const prompt = asked[2]?.prompt ?? "";
  expect(prompt).toContain("got this far in 1 turn");
  expect(prompt).toContain("- [ ] mend it");
  expect(prompt).toContain("The sum forgets the count");
  expect(prompt).toMatch(/git log [0-9a-f]{40}\.\.HEAD/);
  expect(asked[1]?.prompt).not.toContain("got this far");
  const status = ownComments(world)[0] ?? "";
  expect(status).toMatch(/Work of 1 unfinished attempt/);
  expect(status).toMatch(/` 100 %/);
  // The agent's words cannot leave their fence.
  expect(status).toContain("````\n- [x] find it");
});

it("a cancel: what was made and said is in the journal and in the thread", async () => {
  await begin("hangs");
  await world.until(
    "the agent at work",
    async () => (await runState(world))?.effects.get("implement" as never)?.progress,
  );
  say(world, "/baton status");
  const shown = await world.until("how far it is", () =>
    ownComments(world).find((body) => / ago: TodoWrite .* · turn 1/.test(body)),
  );
  expect(shown).toMatch(/\n\d+ %, step 2 of 6: Implement the plan\. Last activity \d+ s ago/);
  say(world, "/baton cancel");
  expect((await ends(world)).status).toBe("cancelled");
  // The last words of a stopped attempt come after the cancel, and before the run's own.
  const attempt = await world.until("what it left", async () => {
    const last = (await runState(world))?.effects.get("implement" as never)?.attempts[0];
    return last?.kept == null ? null : last;
  });
  expect(attempt).toMatchObject({
    partial,
    kept: { headSha: expect.stringMatching(/^[0-9a-f]{40}$/) },
  });
  await world.until("the last words", () =>
    ownComments(world).some((body) =>
      /was stopped after 1 turn\. Its changes are kept as `[0-9a-f]{7}`\..*Last: edit half\.txt/.test(body),
    ),
  );
});

it("a step that fails for good leaves it too", async () => {
  await begin("BATON_HARNESS_REFUSED");
  const state = await ends(world);
  expect(state.effects.get("implement" as never)).toMatchObject({
    status: "failed",
    attempts: [{ partial, kept: { headSha: expect.any(String) } }],
  });
  expect(ownComments(world).at(-1)).toContain("ended with BATON_HARNESS_REFUSED after 1 turn");
});
