/**
 * `demo.durationMs`: `npm run demo -- --json` as a user starts it. That is the whole job, from the comment to the merge,
 * with real CI.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type Bench, figure, spread } from "./figure.ts";

const demoPath = fileURLToPath(new URL("../packages/local-github/demo/main.ts", import.meta.url));
const repeats = { quick: 1, full: 3 };

export const demoDuration: Bench = {
  name: "demo-duration",
  summary: "the whole demo, started as a user starts it",
  figures: ["demo.durationMs"],
  async run({ quick }) {
    const taken: number[] = [];
    for (let repeat = 0; repeat < (quick ? repeats.quick : repeats.full); repeat += 1) taken.push(await demo());
    return {
      figures: [
        figure({
          name: "demo.durationMs",
          unit: "ms",
          value: Math.min(...taken),
          target: null,
          samples: spread(taken),
        }),
      ],
      skipped: [],
    };
  },
};

async function demo(): Promise<number> {
  // Without keys, so that the scripted agent works on every machine.
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, ...env } = process.env;
  const begunAt = performance.now();
  const child = spawn(process.execPath, [demoPath, "--json"], { env, stdio: ["ignore", "pipe", "ignore"] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (code !== 0) throw new Error(`The demo ended with ${code}: ${output.slice(-500)}`);
  return performance.now() - begunAt;
}
