import { describe, expect, it } from "vitest";
import type { Repository } from "../core/vocabulary.ts";
import type { Github, WrittenFacts } from "../ports/github.ts";
import { missedAnywhere } from "./missed-comments.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const now = Date.parse("2026-03-01T12:00:00Z");
const repository: Repository = { id: 9, installationId: 0, owner: "acme", name: "shop", defaultBranch: "main" };
const alice = { id: 1, login: "alice", kind: "user" as const };
const at = (agoMs: number): string => new Date(now - agoMs).toISOString().replace(".000", "");

let ids = 0;
function said(number: number, agoMs: number, change: Partial<WrittenFacts> = {}): WrittenFacts {
  ids += 1;
  const [createdAt, body] = [at(agoMs), "/baton run"];
  return { number, commentId: ids, body, author: alice, createdAt, nodeId: `node ${ids}`, ...change };
}

interface World {
  written: WrittenFacts[];
  edited?: WrittenFacts[];
  until?: string;
  cursor?: number;
  madeAt?: number;
  known?: string[];
  threadsMax?: number;
}

async function look(world: World) {
  const asked: string[] = [];
  const github: Pick<Github, "written" | "unedited"> = {
    async unedited(ids) {
      asked.push(`edits of ${ids.length}`);
      return new Set(ids.filter((id) => world.edited?.every(({ nodeId }) => nodeId !== id) !== false));
    },
    async written(_, since) {
      asked.push(`since ${since}`);
      return { written: world.written, until: world.until ?? null };
    },
  };
  const found = await missedAnywhere({
    github: github as Github,
    place: repository,
    cursor: world.cursor ?? null,
    threadsMax: world.threadsMax ?? 20,
    workflowRunId: "1",
    now,
    async repository() {
      asked.push("repository");
      return repository;
    },
    async workflowMadeAt() {
      asked.push("workflow");
      return world.madeAt ?? null;
    },
    async knownIn(number) {
      asked.push(`inbox ${number}`);
      return new Set(world.known);
    },
  });
  const threads = [...found.threads].map(([number, deliveries]) => [number, deliveries.map(({ guid }) => guid)]);
  return { threads, cursor: found.cursor, asked };
}

const nameOf = ({ number, commentId }: WrittenFacts): string =>
  commentId === null ? `issues.opened:${number}` : `issue_comment.created:${commentId}`;

describe("what counts", () => {
  const run = said(4, hourMs);
  const text = said(5, hourMs, { commentId: null });
  it.each<[string, WrittenFacts, boolean]>([
    ["a comment with a command", run, true],
    ["the text of a new issue", text, true],
    ["a command that nobody knows: its author is told", said(4, hourMs, { body: "/baton rnu" }), true],
    ["no command", said(4, hourMs, { body: "I like `/baton run`" }), false],
    ["a quoted command", said(4, hourMs, { body: "> /baton run" }), false],
    ["an old comment that came up again", said(4, 30 * hourMs), false],
  ])("%s: %o", async (_, written, counts) => {
    const { threads } = await look({ written: [written] });
    expect(threads).toEqual(counts ? [[written.number, [nameOf(written)]]] : []);
  });

  it("an edited text does not count, whenever it was edited; only texts that would be carried out are asked about", async () => {
    const other = said(6, hourMs);
    const plain = said(4, hourMs, { body: "Thanks" });
    const { threads, asked } = await look({
      written: [run, text, other, plain],
      edited: [run, text],
      known: [nameOf(said(9, hourMs))],
    });
    expect(threads).toEqual([[6, [nameOf(other)]]]);
    expect(asked.filter((one) => one.startsWith("edits"))).toEqual(["edits of 3"]);
    const known = await look({ written: [run], known: [nameOf(run)] });
    expect(known.asked.filter((one) => one.startsWith("edits"))).toEqual([]);
  });

  it("what came in is not found again, and where nothing is a command nothing more is asked", async () => {
    expect((await look({ written: [run, text], known: [nameOf(run), nameOf(text)] })).threads).toEqual([]);
    const { asked } = await look({ written: [said(4, hourMs, { body: "Thanks" })] });
    expect(asked).toEqual([`since ${at(24 * hourMs).replace("Z", ".000Z")}`]);
  });

  it("nothing that was said before the workflow was there, unless a cursor says that it was", async () => {
    const madeAt = now - hourMs / 2;
    expect(await look({ written: [run], madeAt })).toMatchObject({ threads: [], cursor: null });
    expect((await look({ written: [said(4, minuteMs)], madeAt })).threads).toHaveLength(1);
    expect((await look({ written: [run], madeAt, cursor: now - 2 * hourMs })).threads).toHaveLength(1);
  });
});

describe("the cursor", () => {
  const since = async (cursor: number): Promise<string | undefined> => (await look({ written: [], cursor })).asked[0];

  it("is looked behind by ten minutes, and by no more than a day", async () => {
    expect(await since(now - hourMs)).toBe(`since ${at(70 * minuteMs).replace("Z", ".000Z")}`);
    expect(await since(now - 90 * hourMs)).toBe(`since ${at(24 * hourMs).replace("Z", ".000Z")}`);
  });

  it.each<[string, World, number | null]>([
    ["moves when a command need not be read again", { written: [said(1, hourMs)] }, now],
    ["stays while all would be read again", { written: [said(1, minuteMs)] }, null],
    ["stays where nobody asks for anything", { written: [said(1, hourMs, { body: "Hi" })] }, null],
    [
      "moves when much was read in vain",
      { written: Array.from({ length: 100 }, () => said(1, hourMs, { body: "Hi" })), cursor: now - 2 * hourMs },
      now,
    ],
    [
      "where there is none, none is begun for that",
      { written: Array.from({ length: 100 }, () => said(1, hourMs, { body: "Hi" })) },
      null,
    ],
    [
      "moves no further than what was read",
      { written: [said(1, 3 * hourMs)], until: at(2 * hourMs) },
      now - 2 * hourMs,
    ],
    [
      "moves no further than what is taken in",
      { written: [said(1, 9 * hourMs), said(2, 8 * hourMs), said(1, 7 * hourMs)], threadsMax: 1 },
      now - 8 * hourMs,
    ],
    ["never goes back", { written: [said(1, 3 * hourMs)], until: at(2 * hourMs), cursor: now - hourMs }, null],
  ])("%s", async (_, world, cursor) => {
    expect((await look(world)).cursor).toBe(cursor);
  });

  it("leaves nothing out: with few threads a look, the next ones take the rest", async () => {
    const written = Array.from({ length: 7 }, (_, index) => said(index + 1, (9 - index) * hourMs));
    const known: string[] = [];
    let cursor: number | null = null;
    for (let looks = 0; looks < 3; looks += 1) {
      const from: number | null = cursor;
      const readable = written.filter(
        ({ createdAt }) => from === null || Date.parse(createdAt) >= from - 10 * minuteMs,
      );
      const found = await look({ written: readable, known, threadsMax: 3, ...(from === null ? {} : { cursor: from }) });
      known.push(...found.threads.flatMap(([, names]) => names as string[]));
      cursor = found.cursor ?? cursor;
    }
    expect(known).toEqual(written.map(nameOf));
  });
});
