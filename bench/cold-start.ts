/**
 * `app.coldStartMs`: from the spawn of `npm start`'s process to the first good answer of /health, on an existing data
 * directory.
 */
import { join } from "node:path";
import { type Bench, figure, spread } from "./figure.ts";
import { startApp } from "./load/app.ts";

const repeats = { quick: 1, full: 5 };

export const coldStart: Bench = {
  name: "cold-start",
  summary: "the App from nothing to healthy, on PGlite",
  figures: ["app.coldStartMs", "app.firstStartMs"],
  async run({ quick, directory }) {
    const dataDir = join(directory, "data");
    const start = async (): Promise<number> => {
      const app = await startApp({ dataDir, databaseUrl: null });
      await app.stop();
      return app.startedInMs;
    };
    // The first start creates the database, so it has its own figure.
    const first = await start();
    const taken: number[] = [];
    for (let repeat = 0; repeat < (quick ? repeats.quick : repeats.full); repeat += 1) taken.push(await start());
    return {
      figures: [
        figure({
          name: "app.coldStartMs",
          unit: "ms",
          value: Math.min(...taken),
          target: null,
          samples: spread(taken),
        }),
        figure({ name: "app.firstStartMs", unit: "ms", value: first, target: null }),
      ],
      skipped: [],
    };
  },
};
