/** Pull requests from branches with any name that git accepts, and obstacles to Baton's own branches. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { type ObservedWorld, observedWorld, reaches, repositoryOf, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

it("branch-names: a pull request from a branch of any name that git takes is worked on", async () => {
  const names = ["feature/#42-テスト", "feat(cart)-sum+100%"];
  const address = names.map((_, index) => ({ files: { [`note-${index}.txt`]: "noted" }, text: "Did it." }));
  const config = "version: 1\nharness: { default: command }\n";
  const fixed = sampleScript.repair?.[0] as { files: Record<string, string> };
  world = await observedWorld({ script: { ...sampleScript, address: [...address, ...address] }, config });
  for (const branch of names) {
    await world.github.push({ repository: repositoryName, as: "alice", branch, files: fixed.files });
    const { number } = await world.github.openPullRequest({
      repository: repositoryName,
      as: "alice",
      title: branch,
      head: branch,
    });
    const before = repositoryOf(world).refs.get(`refs/heads/${branch}`);
    say(world, "/baton run please note it", "alice", number);
    await reaches(world, "review", number);
    expect(repositoryOf(world).refs.get(`refs/heads/${branch}`)).not.toBe(before);
  }
});
