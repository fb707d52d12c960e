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
  ["the head by its start", run("review", "abcdef0"), "allow", /exactly `abcdef012345`/],
  ["the whole head", run("verify\n- It works", headSha), "allow", /exactly/],
  ["a question", { name: "ask", text: "Why?", options: { head: "abcdef0" } }, "allow", /exactly/],
  ["no commit", run("review"), "deny", /Read the change first.*`\/baton run review --head abcdef012345`/],
  ["a question without a commit", { name: "ask", text: "Why?" }, "deny", /`\/baton ask --head abcdef012345/],
  ["an earlier head: a push asks again", run("review", "1234567"), "deny", /is now `abcdef012345`, not `1234567`/],
  ["a process that writes", run("implement", "abcdef0"), "deny", /never lets an agent change/],
  ["the usual process", run("", "abcdef0"), "deny", /never lets an agent change/],
  ["words that begin like a process", run("reviewer please", "abcdef0"), "deny", /never lets an agent change/],
  ["a retry", { name: "retry", text: "", options: {} }, "deny", /never lets an agent change/],
  ["a race", { name: "race", text: "review", options: { head: "abcdef0" } }, "deny", /never lets an agent change/],
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
