import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { smallFacts } from "../../../test/fakes/prompt.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { defaultSettings } from "../../config/schema.ts";
import type { AgentInput } from "../../core/effect.ts";
import type { InstructionsHook, Prompted } from "../../core/instructions.ts";
import type { Harness } from "../../ports/harness.ts";
import { defineProcess, ProcessRegistry } from "../../process/process.ts";
import { type PromptDocument, readDocument } from "../../prompt/document.ts";
import type { NamedHook } from "../../prompt/hooks.ts";
import { prompts } from "../../prompt/prompts.ts";
import type { Change } from "../../prompt/section.ts";
import { createRedactor } from "../../text/redact.ts";
import { performRemotely } from "../remote/remote-agent.ts";
import { instruct } from "./instruct.ts";
import type { PerformContext } from "./performer.ts";

const harness = { name: "small", capabilities: { systemPrompt: true, resume: true } } as unknown as Harness;

function world(
  hooks: { plugins?: readonly NamedHook[]; own?: InstructionsHook; redact?: (text: string) => string } = {},
) {
  const { store } = openMemory({ clock: new ManualClock(), log: silentLog });
  const journal: Prompted[] = [];
  const process = defineProcess({
    name: "own",
    version: 3,
    ...(hooks.own === undefined ? {} : { onInstructionsLoaded: hooks.own }),
  } as unknown as Parameters<typeof defineProcess>[0]);
  const context = {
    dependencies: {
      store,
      processes: new ProcessRegistry().register(process),
      redact: hooks.redact ?? ((text: string) => text.replaceAll("hunter2", "***")),
      onInstructionsLoaded: hooks.plugins ?? [],
      publicUrl: "https://baton.example",
    },
    state: { runId: "run_0123456789abcdef", process: { name: "own", version: 3 }, effects: new Map(), decisions: [] },
    effect: { key: "plan", attempts: [] },
    attempt: 1,
    prompted: async (prompted: Prompted) => void journal.push(prompted),
  } as unknown as PerformContext;
  const tell = (more: Partial<AgentInput> = {}, { change = null }: { change?: Change | null } = {}) =>
    instruct(
      context,
      {
        title: "Plan",
        role: "plan",
        access: "read-only",
        baseSha: "a".repeat(40),
        prompt: prompts.plan({ ...smallFacts, feedback: "" }),
        ...more,
      },
      {
        harness,
        model: null,
        settings: defaultSettings,
        servers: [],
        network: null,
        takenOverFrom: null,
        headSha: null,
        resumed: false,
        change,
      },
    );
  const keptAs = async (id: string | null | undefined): Promise<PromptDocument | null> =>
    readDocument((await store.blob(id ?? "")) ?? "");
  return { context, store, journal, tell, keptAs };
}

const replaceIn =
  (name: string, text: string): InstructionsHook =>
  ({ instructions }) =>
    instructions.map((one) => (one.name === name ? { ...one, text } : one));

describe("what an agent is told", () => {
  it("I1: is kept by content hash and journaled, as it is told", async () => {
    const { journal, tell, keptAs } = world();
    const told = await tell();
    expect(journal).toEqual([
      { key: "plan", attempt: 1, promptId: told.promptId, agent: { harness: "small", model: null }, edits: [] },
    ]);
    const sections = (await keptAs(told.promptId))?.sections ?? [];
    expect(told.system).toBe(
      sections
        .filter(({ stratum }) => stratum !== "turn")
        .map(({ text }) => text)
        .join("\n\n"),
    );
    expect(sections.map(({ name }) => name)).toContain("plan-only");
  });

  it("I2: a secret is neither told nor kept", async () => {
    const { tell, store } = world();
    const told = await tell({ prompt: { system: "Plan.", user: "The password is hunter2." } });
    expect(told).toMatchObject({ system: "Plan.", user: "The password is ***." });
    expect(await store.blob(told.promptId)).toContain("The password is ***.");
  });

  it("I2: what begins like a key in one text takes nothing of another with it", async () => {
    const { tell } = world({ redact: createRedactor({ secrets: [] }) });
    const thread = {
      ...smallFacts.thread,
      title: "-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
      comments: [
        {
          author: "eve",
          permission: "none",
          body: "ghp_0123456789abcdefghij -----BEGIN RSA PRIVATE KEY----- MIIEowIBAAKCAQEAx4UbaDzY5xjW",
        },
        { author: "bob", permission: "write", body: "Keep the API." },
      ],
    };
    const { user } = await tell({ prompt: prompts.plan({ ...smallFacts, thread, feedback: "" }) });
    expect(user).toContain(smallFacts.thread.body);
    expect(user).toContain("@bob (write access):\n```\nKeep the API.\n```");
    expect(user).toContain("```\n[redacted]\n```");
    expect(user).not.toMatch(/ghp_|PRIVATE|MII/);
  });

  it("a change that is judged is shown file by file, what looks like a key in one hides no other", async () => {
    const { tell } = world({ redact: createRedactor({ secrets: [] }) });
    const diff = `diff --git a/a.pem b/a.pem\n+-----BEGIN PRIVATE KEY-----\n+MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\ndiff --git a/b.tsx b/b.tsx\n+<Cart count={1} />\n`;
    const files = [
      { path: "a.pem", added: 2, removed: 0 },
      { path: "b.tsx", added: 1, removed: null },
    ];
    const { user } = await tell(
      { role: "review", prompt: prompts.custom({ ...smallFacts, work: "Review it.", ending: "own" }) },
      { change: { files, diff, truncated: true } },
    );
    expect(user).toContain("b.tsx (+1 -?)");
    expect(user).toMatch(
      /only the beginning of it.*Read the files.*\+\[redacted\]\ndiff --git a\/b\.tsx.*\n\+<Cart count=\{1\} \/>/s,
    );
    expect(user).not.toContain("MII");
  });

  it("PROMPT-006: plugins first, then the process's own hook; what they changed is journaled with what was there", async () => {
    const { journal, store, tell } = world({
      plugins: [
        { name: "house-rules", edit: replaceIn("output", "## What you write\n\nIn French.") },
        { name: "watcher", edit: () => undefined },
      ],
      own: ({ instructions }) => [
        { name: "more", stratum: "turn", text: "## More\n\nCount the tests." },
        ...instructions.filter(({ name }) => name !== "git-safety"),
      ],
    });
    const told = await tell();
    expect(told.system).toContain("In French.");
    expect(told.system).not.toContain("## Git");
    // K1: this text belongs to the turn, wherever the hook put it.
    expect(told.system).not.toContain("Count the tests.");
    expect(told.user.startsWith("## More")).toBe(true);
    expect(journal[0]?.edits).toEqual([
      { by: "house-rules", section: "output", change: "changed", before: expect.any(String) },
      { by: "own", section: "git-safety", change: "removed", before: expect.any(String) },
      { by: "own", section: "more", change: "added", before: null },
    ]);
    expect(await store.blob(journal[0]?.edits[1]?.before ?? "")).toMatch(/^## Git\n/);
  });

  it("a hook that gives back what is no instruction is named", async () => {
    const { tell } = world({ own: () => [{ name: "", stratum: "first", text: 1 }] as never });
    await expect(tell()).rejects.toThrow(/onInstructionsLoaded of own: 0\.name.*0\.stratum.*0\.text/);
  });

  it("a job that could not run the hook gets nothing to do", async () => {
    const { context } = world({ own: () => undefined });
    await expect(performRemotely(context)).rejects.toMatchObject({ code: "BATON_POLICY_DENIED" });
  });
});
