/** The runs whose journals are kept: each through a whole engine, with GitHub, git and the agent as small fakes. */
import type { SealedEvent } from "../../src/core/chain.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import { Story } from "../scenarios/simulation-story.ts";
import { ThreadWorld } from "../scenarios/thread-world.ts";

type Journals = Record<string, readonly SealedEvent[]>;

const journalOf = ({ world }: ThreadWorld, runId: RunId): readonly SealedEvent[] =>
  world.tables.events.get(runId) ?? [];
const newest = (thread: ThreadWorld): readonly SealedEvent[] => journalOf(thread, thread.run().runId);

async function approves(thread: ThreadWorld): Promise<void> {
  const [pull] = [...thread.github.pulls.values()];
  thread.github.review(
    pull?.number as number,
    "bob",
    "approved",
    thread.github.branches.get(pull?.head as string) as string,
  );
  for (let turn = 0; turn < 10; turn += 1) await thread.settle();
}

export async function scenarios(): Promise<Journals> {
  const merged = new ThreadWorld();
  await merged.say("/baton run");
  await merged.reaches("review");
  // In flight: a later Baton goes on from here.
  const waiting = [...newest(merged)];
  await approves(merged);

  const red = new ThreadWorld();
  await red.say("/baton run");
  for (let turn = 0; turn < 60 && red.github.ci.size === 0; turn += 1) await red.world.pass(5_000);
  for (const { sha } of red.github.ci.values()) red.github.conclude(sha, false);
  await red.reaches("review");
  const [pull] = [...red.github.pulls.values()];
  red.github.review(
    pull?.number as number,
    "bob",
    "changes-requested",
    red.github.branches.get(pull?.head as string) as string,
  );
  await red.reaches("review#2");
  await approves(red);

  const cancelled = new ThreadWorld({ more: "breakpoints: { plan: ask }\n" });
  await cancelled.say("/baton run");
  await cancelled.reaches("plan-approval");
  await cancelled.say("/baton reject Another plan, please.", "bob");
  await cancelled.reaches("plan-approval#2");
  await cancelled.say("/baton cancel", "mallory");
  await cancelled.say("/baton cancel", "bob");

  const paused = new ThreadWorld({ more: "breakpoints: { plan: ask }\n" });
  await paused.say("/baton run");
  await paused.reaches("plan-approval");
  await paused.say("/baton pause", "bob");
  await paused.say("/baton budget +1", "bob");

  const wild = new Story(3);
  await wild.run();
  const [longest] = [...wild.tables.events.values()].toSorted((a, b) => b.length - a.length);

  return {
    "merged-by-itself": newest(merged),
    "waits-for-review": waiting,
    "repaired-and-addressed": newest(red),
    "rejected-and-cancelled": newest(cancelled),
    "paused-at-its-plan": newest(paused),
    "deaths-and-lost-answers": longest ?? [],
  };
}
