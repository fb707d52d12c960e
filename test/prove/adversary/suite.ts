/** The suite `adversary`: a hostile agent, thread, repository and model service against every guard, on and off. */
import { Draw, inputsOf } from "../draw.ts";
import { flagOf, type Proof, type ProveOptions, type Suite } from "../suite.ts";
import { type Cause, closeShared } from "./cause.ts";
import { causes } from "./causes.ts";

export const inputsPerCauseMax = 60;

export interface CauseResult {
  cause: string;
  inputs: number;
  /** Inputs that came through with the guard on. */
  fell: { input: string; what: string }[];
  /** Whether an input got through with the guard off. */
  shown: boolean;
  skipped: string | null;
}

export const adversary: Suite = {
  name: "adversary",
  summary: "No hostile input reaches its goal, and each guard matters: without it at least one does.",
  flags: [{ name: "inputs", summary: `inputs of each cause, at most ${inputsPerCauseMax}`, default: 28, min: 1 }],
  async prove(options): Promise<Proof> {
    const each = Math.min(flagOf(options, "inputs"), inputsPerCauseMax);
    const results = await attackAll(causes, each, options);
    const asked = results.filter(({ skipped }) => skipped === null);
    const inputs = asked.reduce((sum, one) => sum + one.inputs, 0);
    const fell = asked.reduce((sum, one) => sum + one.fell.length, 0);
    const shown = asked.filter((one) => one.shown).length;
    const skipped = results.length - asked.length;
    return {
      held: fell === 0 && shown === asked.length,
      result: {
        inputs,
        causes: asked.length,
        held: inputs - fell,
        fell,
        guardsOff: { shown, of: asked.length },
        ...(skipped === 0 ? {} : { skipped }),
      },
    };
  },
};

export async function attackAll(
  all: readonly Cause[],
  inputsEach: number,
  { seed, say }: Pick<ProveOptions, "seed" | "say">,
): Promise<CauseResult[]> {
  const results: CauseResult[] = [];
  try {
    for (const cause of all) {
      const startedAt = performance.now();
      const result = await attackOne(cause, inputsEach, seed);
      results.push(result);
      const ms = Math.round(performance.now() - startedAt);
      const end = result.skipped ?? `${result.inputs - result.fell.length} of ${result.inputs} held, ${ms} ms`;
      say(
        `${cause.surface}: ${cause.name}: ${end}${result.shown || result.skipped !== null ? "" : ", GUARD NOT SHOWN"}`,
      );
      for (const { input, what } of result.fell) say(`  FELL ${input}: ${what}`);
    }
  } finally {
    await closeShared();
  }
  return results;
}

async function attackOne(cause: Cause, inputsEach: number, seed: number): Promise<CauseResult> {
  const skipped = (await cause.obstacle?.()) ?? null;
  if (skipped !== null) return { cause: cause.name, inputs: 0, fell: [], shown: false, skipped: `skipped: ${skipped}` };
  const draw = new Draw(seed, cause.name);
  const count = countOf(cause, inputsEach);
  // For a few inputs: the most telling one, and others than last time.
  const rest = count < cause.fixed.length ? draw.shuffled(cause.fixed.slice(1)) : cause.fixed.slice(1);
  const inputs = inputsOf([...cause.fixed.slice(0, 1), ...rest], () => cause.draw(draw), count);
  const fell: CauseResult["fell"] = [];
  await inTurn(inputs, cause.atOnce ?? 1, async (input) => {
    const what = await outcome(cause, input, true);
    if (what !== null) fell.push({ input: shorten(JSON.stringify(input)), what: shorten(what) });
    return true;
  });
  let shown = false;
  // Includes handwritten inputs that were not drawn this time, because one that gets through is enough.
  await inTurn([...inputs, ...cause.fixed], 1, async (input) => {
    shown = (await outcome(cause, input, false)) !== null;
    return !shown;
  });
  return { cause: cause.name, inputs: inputs.length, fell, shown, skipped: null };
}

/** One input of a slow cause if there are few, and not all of many. */
function countOf({ slow }: Cause, inputsEach: number): number {
  return slow === true ? Math.max(1, Math.floor(inputsEach * (inputsEach < 10 ? 0.4 : 0.5))) : inputsEach;
}

/** An attack also comes through if it makes the guarded code throw unexpectedly. */
async function outcome(cause: Cause, input: unknown, guarded: boolean): Promise<string | null> {
  try {
    return await cause.attack(input, guarded);
  } catch (thrown) {
    if (!guarded) return null;
    return `threw ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
  }
}

/** Ends early when `work` returns false. */
async function inTurn<T>(list: readonly T[], atOnce: number, work: (one: T) => Promise<boolean>): Promise<void> {
  const left = list.values();
  let on = true;
  const worker = async (): Promise<void> => {
    for (const one of left) {
      if (!on) return;
      on = (await work(one)) && on;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
}

function shorten(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`;
}
