/** The suites `crash` and `replicas`: kills and pauses at random instants with four runs at once. */
import { createPostgresDatabase, postgresUrl } from "../../fakes/postgres.ts";
import type { Sabotage } from "../../scenarios/sabotage.ts";
import { flagOf, type Proof, type ProveOptions, type Suite } from "../suite.ts";
import { type FleetResult, runFleet } from "./fleet.ts";
import { judge } from "./oracle.ts";
import { type Aim, strikesOf } from "./plan.ts";

const noServer = "BATON_TEST_DATABASE_URL is not set, so there is no PostgreSQL server";
const pauseMsMax = 8_000;

export const crash: Suite = {
  name: "crash",
  summary:
    "Killed at any instant with four runs at once, Baton loses nothing, does nothing twice and counts all money.",
  flags: [{ name: "kills", summary: "kills over both databases", default: 200, min: 1 }],
  async prove(options) {
    const kills = flagOf(options, "kills");
    if (postgresUrl === undefined) {
      options.say(`${noServer}: all kills fall on the embedded database.`);
      return killAll(options, { kills });
    }
    const onServer = Math.floor(kills / 2);
    const proofs = [await killAll(options, { kills: kills - onServer })];
    if (onServer > 0) {
      const database = await createPostgresDatabase(postgresUrl);
      try {
        proofs.push(await killAll(options, { kills: onServer, databaseUrl: database.url }));
      } finally {
        await database.drop();
      }
    }
    return together(proofs);
  },
};

export const replicas: Suite = {
  name: "replicas",
  summary:
    "Of two Batons on one PostgreSQL any may die or stop for a while: the other goes on, and nothing is done twice.",
  flags: [{ name: "blows", summary: "kills and pauses", default: 40, min: 1 }],
  async prove(options) {
    if (postgresUrl === undefined) {
      options.say(
        `${noServer}: two Batons share nothing else. Set it to the address of one that may create databases.`,
      );
      return { held: false, result: { skipped: "no PostgreSQL server" } };
    }
    const database = await createPostgresDatabase(postgresUrl);
    try {
      const blows = flagOf(options, "blows");
      const strikes = strikesOf(options.seed, blows, { replicas: 2, pauseMsMax });
      const fleet = { ...options, databaseUrl: database.url, replicas: 2, strikes };
      return proofOf(options, "postgres", await runFleet(fleet));
    } finally {
      await database.drop();
    }
  },
};

/** Kills of one Baton on one database. */
export async function killAll(
  options: Pick<ProveOptions, "seed" | "say">,
  world: { kills: number; databaseUrl?: string; aims?: readonly Aim[]; sabotage?: Sabotage },
): Promise<Proof> {
  const { kills, databaseUrl = null, aims, sabotage } = world;
  const { seed, say } = options;
  const strikes = strikesOf(seed, kills, aims === undefined ? {} : { aims });
  const broken = sabotage === undefined ? {} : { sabotage };
  const result = await runFleet({ seed, say, databaseUrl, replicas: 1, strikes, ...broken });
  return proofOf(options, databaseUrl === null ? "embedded" : "postgres", result);
}

function proofOf({ say }: Pick<ProveOptions, "say">, database: string, fleet: FleetResult): Proof {
  const { lost, doubled, uncounted, uncountedUsd } = judge(fleet.facts);
  const { runs, kills, pauses, busy, agents, survivors } = fleet;
  const blows = kills + pauses;
  for (const [name, count] of [...fleet.underWay].toSorted((a, b) => b[1] - a[1]))
    say(
      `${database}: under way: ${name.padEnd(30)} ${String(count).padStart(4)} ${"#".repeat(Math.ceil((40 * count) / blows))}`,
    );
  for (const what of [...lost, ...uncounted]) say(`LOST ${what}`);
  for (const what of doubled) say(`DOUBLED ${what}`);
  const counts = { kills, busy, lost: lost.length + uncounted.length, doubled: doubled.length };
  return {
    held: counts.lost === 0 && doubled.length === 0 && survivors === 0,
    result: {
      ...counts,
      ...(pauses > 0 ? { pauses } : {}),
      runs,
      requests: fleet.facts.answered.length,
      uncounted: uncounted.length,
      uncountedUsd: Math.round(uncountedUsd * 1e6) / 1e6,
      agents,
      survivors,
      databases: { [database]: kills },
    },
  };
}

/** Adds the numbers up. */
function together(proofs: readonly Proof[]): Proof {
  const result: Record<string, unknown> = {};
  for (const proof of proofs)
    for (const [name, value] of Object.entries(proof.result))
      result[name] =
        typeof value === "number"
          ? Number(result[name] ?? 0) + value
          : { ...(result[name] as object), ...(value as object) };
  return { held: proofs.every(({ held }) => held), result };
}
