/**
 * Prompts in strata: stable, runtime, turn. A process names a task and gives facts. This folder makes the words for the
 * chosen harness when an attempt begins.
 *
 * To add a task: `tasks/<name>.ts` with `defineTask({ name, facts, write })` and one line in `tasks/index.ts`. A process
 * then asks for it with `prompt: prompts.<name>({ ...input, …facts of the task })`, for example `prompts.repair({ ...input,
 * plan, checks })`. `write` gives the last sections of the prompt. Thread, project, plan, handoffs, outcomes and rules
 * precede them without a word of the task. `report` (`tasks/report.ts`) is the section that asks for the usual end. A task
 * that judges also has `answers(facts)`, and its process reads the result with `readAnswers` (`outcomes.ts`). The output of
 * an earlier step goes in as `handoffs: [handoff({ role, title }, "repair", output)]`. A process with its own words uses
 * `prompts.custom`, or gives `{ system, user }` and gets exactly that.
 *
 * Owns: order, joining, and the place of each part. Does not own: the sections (`sections/`), the tasks (`tasks/`).
 * M2 Equal contexts give byte-identical prompts.
 * M3 A change in one stratum changes no byte of an earlier one.
 */
import type { Instruction, Stratum } from "../core/instructions.ts";
import type { PromptContext, Written } from "./section.ts";
import { sections as registry } from "./sections/index.ts";

export function compose(context: PromptContext): Instruction[] {
  return registry.flatMap(({ name, stratum, write }) =>
    listOf(write(context)).flatMap((written) => {
      const text = render(written);
      return text === ""
        ? []
        : [{ name: written.name === undefined ? name : `${name}:${written.name}`, stratum, text }];
    }),
  );
}

/** The input of harnesses. Stable and runtime are their system text, or the head of their prompt if they have none. */
export function partsOf(sections: readonly Pick<Instruction, "stratum" | "text">[]): {
  system: string;
  user: string;
} {
  const of = (wanted: (stratum: Stratum) => boolean): string =>
    sections
      .filter(({ stratum }) => wanted(stratum))
      .map(({ text }) => text)
      .join(between);
  return { system: of((stratum) => stratum !== "turn"), user: of((stratum) => stratum === "turn") };
}

/** Between sections, and between the two parts. */
export const between = "\n\n";

export function render({ heading, body }: Written): string {
  const trimmed = body.trim();
  return trimmed === "" ? "" : `## ${heading}\n\n${trimmed}`;
}

function listOf(written: Written | readonly Written[] | null): readonly Written[] {
  if (written === null) return [];
  return "heading" in written ? [written] : written;
}
