/**
 * A question is one comment: posted once, never edited, and folded when it is over. Lost answers do not change that.
 */
import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { BatonError } from "../../core/errors.ts";
import type { RunId } from "../../core/vocabulary.ts";
import { parseMarker, withMarker } from "../../text/marker.ts";
import type { Dependencies } from "../dependencies.ts";
import { OutboxPump } from "./pump.ts";
import { namedKey, outboxRow, questionRowKey } from "./row.ts";

const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const key = questionRowKey("run_0123456789abcdef" as RunId, "plan-approval");

/** Controls the result of each write of a question, and GitHub's state: posted comments, folded comments, edits. */
function world() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const comments = new Map<string, string>();
  const folded: string[] = [];
  const did: string[] = [];
  const faults: ("refused" | "lost")[] = [];
  const fault = (): void => {
    if (faults.shift() === "refused") throw new BatonError("BATON_GITHUB_DENIED", "no");
  };
  const posted = (marker: string) => ({ id: 1, url: "", nodeId: `IC_${marker}`, createdAt: "2026-11-30T10:00:00Z" });
  const github = {
    async ensureComment(_: unknown, _number: number, marker: string, body: string) {
      const isLost = faults[0] === "lost";
      fault();
      did.push(comments.has(marker) ? "edit or look" : "post");
      comments.set(marker, body);
      if (isLost) throw new BatonError("BATON_GITHUB_UNAVAILABLE", "lost");
      return posted(marker);
    },
    ownComment: async (_: unknown, _number: number, marker: string) => (comments.has(marker) ? posted(marker) : null),
    async minimizeComment({ nodeId }: { nodeId: string }) {
      did.push("fold");
      folded.push(nodeId);
    },
  };
  const dependencies = { store, clock, log: silentLog, owner: "o", github: { installation: async () => github } };
  const pump = new OutboxPump(dependencies as unknown as Dependencies);
  const put = async (open: boolean, body = "Which color?"): Promise<void> => {
    const payload = { number: 7, body: open ? body : "", open };
    const row = { operationKey: key, repository, kind: "question" as const, payload };
    await store.write({ outbox: [outboxRow({ ...row, priority: open ? 10 : 70, content: open ? "open" : "over" })] });
    await pump.pump();
    clock.advance(60_000);
    await pump.pump();
  };
  return { put, comments, folded, did, faults, store };
}

it.each<[string, ("refused" | "lost")[], boolean[], string[]]>([
  ["asked and answered", [], [true, false], ["post", "fold"]],
  ["shown again and again while it is open", [], [true, true, true], ["post"]],
  ["over before it was posted", [], [false], []],
  ["over for long", [], [true, false, false, false], ["post", "fold"]],
  ["GitHub's answer to the post was lost", ["lost"], [true, false], ["post", "edit or look", "fold"]],
  [
    "a post that GitHub refuses is asked again with the next status",
    ["refused"],
    [true, true, false],
    ["post", "fold"],
  ],
])("%s", async (_, faults, states, did) => {
  const { put, did: done, faults: given, comments } = world();
  given.push(...faults);
  for (const open of states) await put(open);
  expect(done).toEqual(did);
  expect(comments.size).toBe(did.includes("post") ? 1 : 0);
});

it("the text of a posted question never changes, for an answer is for what was read", async () => {
  const { put, comments, store } = world();
  await put(true, "Which color?");
  await put(true, "Which size?");
  expect([...comments.values()]).toEqual(["Which color?"]);
  expect((await store.outboxRow(key))?.result).toMatchObject({ createdAt: "2026-11-30T10:00:00Z" });
});

it("an answer of GitHub's that was lost, and the end of the question right after it: the comment is found and folded", async () => {
  const { put, comments, folded, faults, store } = world();
  await put(false);
  expect(folded).toEqual([]);
  const other = world();
  other.faults.push("lost");
  other.comments.set(key, "Which color?");
  await other.put(false);
  expect(other.folded).toEqual([`IC_${key}`]);
  expect([comments.size, faults.length, (await store.outboxRow(key))?.state]).toEqual([0, 0, "done"]);
});

it.each(["plan-approval", "all/one/color#2", "@money/0"])("%s is a name of a comment as it is", (id) => {
  expect(questionRowKey("run_0123456789abcdef" as RunId, id)).toBe(`question:run_0123456789abcdef:${id}`);
});

it.each(["Frage nach Farbe", "a".repeat(200), "naïve", "x --> <b>"])("another key has a name of its own: %s", (id) => {
  const name = questionRowKey("run_0123456789abcdef" as RunId, id);
  expect(name).toMatch(/^question:run_0123456789abcdef:[0-9a-f]{64}$/);
});

it.each(["main", "feature/#42-テスト", "feat(cart)-sum+100%", "a".repeat(400)])(
  "a key with the name %s is a marker",
  (name) => {
    expect(parseMarker(withMarker("Hello", namedKey("ci", name)))).toBe(namedKey("ci", name));
    expect(namedKey("ci", name)).not.toBe(namedKey("ci", `${name}x`));
  },
);

it("a comment whose key is no marker is refused where it is written, because each try would fail", () => {
  const write = { repository, kind: "comment" as const, payload: {}, priority: 1 };
  expect(() => outboxRow({ ...write, operationKey: "ci:100%" })).toThrow("cannot be a marker");
});
