/** Places and authors of commands: reviews, lines of a change, names, bots, all kinds of Markdown and mail. */
import { describe, expect, it } from "vitest";
import { bot, person } from "../fakes/small-github.ts";
import { ThreadWorld } from "./thread-world.ts";

/** A pull request by Baton, in whose thread nothing runs. */
async function withPull(options: ConstructorParameters<typeof ThreadWorld>[0] = {}) {
  const thread = new ThreadWorld(options);
  const sha = thread.github.newSha();
  thread.github.push("topic", sha, person("alice"));
  const { number } = await thread.github.ensurePullRequest(
    {} as never,
    {
      head: "topic",
      base: "main",
      title: "T",
      body: "",
      draft: false,
    } as never,
  );
  await thread.settle();
  return { thread, number };
}

const instructionsOf = (thread: ThreadWorld, number: number): string => thread.run(number).trigger.text;

describe("commands-in-reviews-are-silent", () => {
  it("a command in the text of a review is obeyed", async () => {
    const { thread, number } = await withPull();
    thread.github.reviewSaying(number, "bob", "/baton run fix the sum");
    await thread.settle();
    expect(thread.run(number).requestedBy.login).toBe("bob");
    expect(instructionsOf(thread, number)).toBe("fix the sum");
  });

  it("a command at a line is obeyed, with the line and its hunk", async () => {
    const { thread, number } = await withPull();
    const hunk = "@@ -1,2 +1,2 @@\n-total += price\n+total += price * count";
    thread.github.reviewSaying(number, "bob", "", [
      { path: "src/sum.ts", line: 7, hunk, body: "/baton run fix this please" },
    ]);
    await thread.settle();
    const text = instructionsOf(thread, number);
    expect(text).toContain("fix this please");
    expect(text).toContain("`src/sum.ts`, line 7");
    expect(text).toContain("+total += price * count");
  });

  it("what a review says twice is carried out once, and a stranger's gets the same refusal as a comment", async () => {
    const { thread, number } = await withPull();
    thread.github.reviewSaying(number, "mallory", "/baton run fix the sum");
    await thread.settle();
    expect(thread.runs(number)).toEqual([]);
    expect(thread.words(number).join("\n")).toMatch(/needs the permission \*\*write\*\*/);
    thread.github.reviewSaying(number, "bob", "/baton run fix the sum");
    const news = thread.github.news.slice(-1);
    thread.github.news.push(...news);
    await thread.settle();
    expect(thread.runs(number)).toHaveLength(1);
  });

  it("a slip in a review is answered, and reviews that only talk cost nothing", async () => {
    const { thread, number } = await withPull();
    thread.github.reviewSaying(number, "bob", "/baton rnu", [
      { path: "a.ts", line: 1, hunk: "@@", body: "I like /baton run here." },
    ]);
    await thread.settle();
    expect(thread.words(number).join("\n")).toMatch(/Did you mean `\/baton run`/);
    expect(thread.words(number)).toHaveLength(1);
  });

  it.each([
    "/Baton run fix the sum",
    "/baton\u00a0run fix the sum",
    "／baton run fix the sum",
    "@baton run fix the sum",
    "@Baton RUN fix the sum",
  ])("%s reads as /baton run", async (body) => {
    const thread = new ThreadWorld();
    await thread.say(body);
    expect(instructionsOf(thread, 11)).toBe("fix the sum");
  });

  it("by the name that `commands.mention` gives, and by no other", async () => {
    const thread = new ThreadWorld({ more: "commands: { mention: robo }\n" });
    await thread.say("@somebody run fix the sum");
    await thread.say("@baton thanks, run fix the sum");
    expect(thread.runs()).toEqual([]);
    await thread.say("@robo run fix the sum");
    expect(instructionsOf(thread, 11)).toBe("fix the sum");
  });

  it("a listed bot has the permission that the configuration gives it", async () => {
    const thread = new ThreadWorld({ more: "commands: { bots: [{ id: 99, permission: write }] }\n" });
    const sayAs = async (id: number, body: string): Promise<void> => {
      thread.github.say(11, "alice", body);
      const news = thread.github.news.at(-1)?.payload as { comment: { user: object } };
      news.comment.user = { id, login: "helper[bot]", type: "Bot" };
      await thread.settle();
    };
    await sayAs(98, "/baton run fix the sum");
    expect([thread.runs(), thread.words()]).toEqual([[], []]);
    await sayAs(99, "/baton run fix the sum");
    expect(thread.run().requestedBy).toMatchObject({ id: 99, permission: "write" });
    await sayAs(bot.id, "/baton cancel");
    expect(thread.run().cancelRequested).toBeNull();
  });
});

describe("answers about a run", () => {
  it("have two lines: the news, and a detail with links to the whole and to the question", async () => {
    const thread = new ThreadWorld();
    await thread.say("/baton run fix the sum");
    await thread.reaches("review");
    for (const command of ["status", "cost", "why"]) {
      const id = await thread.say(`/baton ${command}`);
      const lines = (thread.answer(id) ?? "").replace(/\s*<!--.*-->\s*/s, "").split("\n");
      expect(lines, command).toHaveLength(2);
      expect(lines[1]).toMatch(/\[(?:Status comment|Cost by step|Decisions and evidence)\]\(https:/);
      expect(lines[1]).toContain(`Answer to [\`/baton ${command}\`](https://github.test/11#issuecomment-${id})`);
    }
  });

  it("a newer answer folds the older one, and no other", async () => {
    const thread = new ThreadWorld();
    await thread.say("/baton run fix the sum");
    await thread.reaches("review");
    const nodeOf = (id: number): string =>
      [...thread.github.said.values()].find(({ body }) => body.includes(`baton:op=reply:${id} `))?.nodeId ?? "";
    const [first, cost, help] = [
      await thread.say("/baton status"),
      await thread.say("/baton cost"),
      await thread.say("/baton help"),
    ];
    const second = await thread.say("/baton status", "bob");
    await thread.say("/baton help", "bob");
    expect(thread.github.minimized.has(nodeOf(first))).toBe(true);
    for (const id of [cost, help, second]) expect(thread.github.minimized.has(nodeOf(id))).toBe(false);
  });

  it("everybody gets theirs, also where several ask before the first answer is posted", async () => {
    const thread = new ThreadWorld();
    await thread.say("/baton run fix the sum");
    await thread.reaches("review");
    const asked = [
      ["status", "alice"],
      ["status", "bob"],
      ["help run", "alice"],
      ["help race", "alice"],
    ] as const;
    const ids = asked.map(([command, who]) => thread.github.say(11, who, `/baton ${command}`));
    await thread.settle();
    for (const id of ids) expect(thread.answer(id), asked[ids.indexOf(id)]?.join(" by ")).not.toBeNull();
  });

  it("come in the order asked", async () => {
    const thread = new ThreadWorld();
    await thread.say("/baton run fix the sum");
    await thread.reaches("review");
    const ids = ["status", "cost", "why", "help"].map((command) => thread.github.say(11, "alice", `/baton ${command}`));
    await thread.settle();
    const answered = thread.words().flatMap((body) => /baton:op=reply:(\d+) /.exec(body)?.[1] ?? []);
    expect(answered).toEqual(ids.map(String));
  });
});

describe("strangers-make-baton-talk", () => {
  it("misspelt commands of people without permission are silent, and cost no write at all", async () => {
    const thread = new ThreadWorld();
    for (let index = 0; index < 40; index += 1) thread.github.say(11, "mallory", `/baton frobnicate${index}`);
    thread.github.say(11, "mallory", "/baton run --nope");
    await thread.settle();
    expect([thread.words(), thread.reactions()]).toEqual([[], 0]);
  });

  it.each(["help", "status", "run fix the sum", "approve"])(
    "%s: one answer a day, then reactions, then silence",
    async (command) => {
      const thread = new ThreadWorld();
      for (let index = 0; index < 60; index += 1) thread.github.say(11, "mallory", `/baton ${command}`);
      await thread.settle();
      expect(thread.words()).toHaveLength(1);
      expect(thread.reactions()).toBeGreaterThan(0);
      expect(thread.reactions()).toBeLessThanOrEqual(6);
      // Nobody else's answers are used up, and a day later there is a new one.
      const before = thread.words().length;
      await thread.say("/baton help", "bob");
      expect(thread.words()).toHaveLength(before + 1);
      for (let step = 0; step < 25; step += 1) await thread.world.pass(3_600_000);
      await thread.say(`/baton ${command}`, "mallory");
      expect(thread.words()).toHaveLength(before + 2);
    },
  );

  it("an unknown command of somebody with permission gets the command that does it", async () => {
    const thread = new ThreadWorld();
    const id = await thread.say("/baton fix the `sum` in cart.ts");
    expect(thread.answer(id)).toContain("/baton run fix the `sum` in cart.ts\n");
    expect(thread.runs()).toEqual([]);
  });

  const asked: [string, RegExp][] = [
    ["sweap", /no process "sweap".*Nothing was started/s],
    ["zähl", /no process "zähl"/],
    ["please", /no process "please"/],
    ["issue-to-p fix the sum", /Did you mean `\/baton run issue-to-pr fix the sum`/],
    ["explor how does the total work", /Did you mean `\/baton run explore how does the total work`/],
    ["Verfiy the sum", /Did you mean `\/baton run verify/],
    ["revew the change", /Did you mean `\/baton run review/],
    ["explore nope=1 how", /no input `nope`/],
    ["count=3 the sums", /no input `count`/],
  ];
  it.each(asked)("/baton run %s is asked about", async (text, expected) => {
    const thread = new ThreadWorld();
    const id = await thread.say(`/baton run ${text}`);
    expect(thread.runs()).toEqual([]);
    expect(thread.answer(id)).toMatch(expected);
  });

  it.each(["Make the total exact", "use a=b in the config", "fix the sum"])(
    "/baton run %s is the instruction",
    async (text) => {
      const thread = new ThreadWorld();
      await thread.say(`/baton run ${text}`);
      expect(instructionsOf(thread, 11)).toBe(text);
      expect(thread.words()[0]).toContain("`issue-to-pr`");
    },
  );

  it.each([
    ["struck out", "~~a\n/baton run fix the sum\nb~~"],
    ["struck out by a tag", "<del>\n\n/baton run fix the sum\n\n</del>"],
    ["struck out by a short tag", "text <s>\n/baton run fix the sum\n</s>"],
    ["quoted", "> /baton run fix the sum"],
    ["folded", "<details><summary>x</summary>\n\n/baton run fix the sum\n\n</details>"],
    ["in code", "```\n/baton run fix the sum\n```"],
    ["in a mail below", "Thanks!\n\nOn Mon, Jan 1, 2026 at 10:00 AM, Bob wrote:\n\n/baton run fix the sum"],
    [
      "in a Dutch mail below",
      "Dank!\n\nOp ma 1 jan 2026 om 10:00 schreef Bob <bob@example.com>:\n\n/baton run fix the sum",
    ],
  ])("a command that is %s is none", async (_, body) => {
    const thread = new ThreadWorld();
    await thread.say(body);
    expect([thread.runs(), thread.words()]).toEqual([[], []]);
  });

  it.each([
    ["a signature", "\n\n-- \nAlice Example\nHead of Sums"],
    ["a telephone's line", "\n\nSent from my iPhone"],
    ["an older mail", "\n\nOn Mon, Jan 1, 2026, Bob <bob@example.com> wrote:\n> Delete everything"],
    ["an older mail in another language", "\n\nOp ma 1 jan 2026 schreef Bob <bob@example.com>:\n> Verwijder alles"],
  ])("%s is no instruction", async (_, below) => {
    const thread = new ThreadWorld();
    await thread.say(`/baton run fix the sum${below}`);
    expect(instructionsOf(thread, 11)).toBe("fix the sum");
  });
});
