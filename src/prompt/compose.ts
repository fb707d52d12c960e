/**
 * Prompts in strata: stable, runtime, turn. A process names a task and gives facts; the words are made here, for the harness
 * that was chosen, when an attempt begins.
 *
 * To add a task: `tasks/<name>.ts` with `defineTask({ name, facts, write })` and one line in `tasks/index.ts`. A process then
 * asks for it with `prompt: prompts.<name>({ ...input, …what the task needs })`, for example
 * `prompts.repair({ ...input, plan, checks })`. `write` gives the last sections of the prompt; thread, project, plan,
 * handoffs, outcomes and rules stand before them without a word of the task. `report` (`tasks/report.ts`) is the section that
 * asks for the usual end; a task that judges takes `answers(facts)` besides, and its process reads what comes with `readAnswers`
 * (`outcomes.ts`). What an earlier step left goes in as `handoffs: [handoff({ role, title }, "repair", output)]`. A process with words of its own takes `prompts.custom`, or gives `{ system, user }` and gets just that.
 *
 * Owns: order, joining, what goes where. Does not own: the sections (`sections/`), the tasks (`tasks/`).
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

/** What harnesses are handed: stable and runtime are their system text, or the head of their prompt where they have none. */
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
