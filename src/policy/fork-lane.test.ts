/** The read-only lane for forks: the people who open it, its commit, and the settings that never hold there. */
import { expect, it } from "vitest";
import { settingsSchema } from "../config/schema.ts";
import { forkLane, forkSettings } from "./fork-lane.ts";
import { forkHead } from "./rules/fork-head.ts";

const headSha = "abcdef0123456789abcdef0123456789abcdef01";
type Command = Parameters<typeof forkLane>[0];
const judged = (command: Command) =>
  forkHead.judge({ headIsFork: true, worksOnHead: true, lane: forkLane(command, headSha) } as never);
const run = (text: string, head?: string): Command => ({
  name: "run",
  text,
  options: head === undefined ? {} : { head },
});

it.each<[string, Command, "allow" | "deny", RegExp]>([
  ["the whole head", run("verify\n- It works", headSha), "allow", /exactly `abcdef0123456789abcdef0123456789abcdef01`/],
  ["a question", { name: "ask", text: "Why?", options: { head: headSha } }, "allow", /exactly/],
  ["the beginning of the head, which another commit may share", run("review", headSha.slice(0, 39)), "deny", /is now/],
  [
    "no commit",
    run("review"),
    "deny",
    /Read the change first.*`\/baton run review --head abcdef0123456789abcdef0123456789abcdef01`/,
  ],
  [
    "a question without a commit",
    { name: "ask", text: "Why?" },
    "deny",
    /`\/baton ask --head abcdef0123456789abcdef0123456789abcdef01/,
  ],
  ["an earlier head: a push asks again", run("review", "1234567"), "deny", /is now `abcdef\w{34}`, not `1234567`/],
  ["a process that writes", run("implement", headSha), "deny", /never lets an agent change/],
  ["the usual process", run("", headSha), "deny", /never lets an agent change/],
  ["words that begin like a process", run("reviewer please", headSha), "deny", /never lets an agent change/],
  ["a retry", { name: "retry", text: "", options: {} }, "deny", /never lets an agent change/],
  ["a race", { name: "race", text: "review", options: { head: headSha } }, "deny", /never lets an agent change/],
])("%s", (_, command, answer, because) => {
  expect(judged(command)).toEqual({ answer, because: expect.stringMatching(because) });
});

it("nothing of the settings opens the sandbox of the lane", () => {
  const open = settingsSchema.parse({
    sandbox: { mode: "off", network: ["npm", "evil.example"], setup: ["npm ci"] },
    mcp: { docs: { url: "https://docs.example", access: "read-only" } },
  });
  expect(forkSettings(open)).toEqual({ ...open, mcp: {}, sandbox: { mode: "require", network: [], setup: [] } });
});
