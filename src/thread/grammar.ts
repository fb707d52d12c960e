/** The grammar of a command. Parser, help, refusals and documents read it. No other code knows how people write a command. */
import { z } from "zod";
import { priorities } from "../core/priority.ts";

export interface OptionGrammar {
  /** Placeholder in the help. */
  value: string;
  summary: string;
  schema: z.ZodType<string | number>;
}

export interface PositionalGrammar {
  name: string;
  summary: string;
  required: boolean;
  schema: z.ZodType<string | number>;
  /**
   * Only for the last argument: it takes all remaining words of the line, and needs at least this many. Text then begins
   * after `--` or on the next line.
   */
  atLeast?: number;
}

export type ThreadKind = "issue" | "pull-request";

export interface CommandGrammar {
  name: string;
  aliases: string[];
  /** As people write it, without `/baton`. */
  usage: string;
  summary: string;
  examples: string[];
  /** Permission class of `baton.yaml` (`commands.run`, `commands.steer`), or a permission that no class lowers. */
  needs: "run" | "steer" | "read" | "admin";
  appliesTo: readonly ThreadKind[];
  positional: PositionalGrammar[];
  options: Record<string, OptionGrammar>;
  /** Free text: the rest of the line, and the lines after it. */
  text: "none" | "optional" | "required";
  /** True if it makes Baton work on the thread's own head. */
  worksOnHead: boolean;
  /** False: the command also works without a run. */
  needsRun: boolean;
}

export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/:-]{0,80}$/, "expected a name of letters, digits and . _ / : -");

const usdMax = 10_000;

/** Plain decimals only: `1e3`, `0x10` and `Infinity` are numbers to a machine, not amounts to a person. */
const usd = (pattern: RegExp, expected: string): z.ZodType<number> =>
  z
    .string()
    .regex(pattern, expected)
    .transform((text) => Number(text.replace(/^\+?\$?/, "")))
    .pipe(
      z.number().positive("expected an amount in USD of more than 0").max(usdMax, `expected at most ${usdMax} USD`),
    );

export const usdSchema = usd(
  /^\$?\d{1,9}(?:\.\d{1,4})?$/,
  "expected an amount in USD of more than 0, for example 2.50",
);

export const topUpSchema = usd(
  /^\+\$?\d{1,9}(?:\.\d{1,4})?$/,
  "that is not a top-up; write the USD to add with a plus, for example `/baton budget +2`",
);

/** Safeguards that a run does without, if a person says so. */
export const withoutOption: OptionGrammar = {
  value: "WHAT",
  summary:
    "Go on without CI (`checks`), without anyone who may approve (`approver`), or past rules that Baton may bypass (`rules`).",
  schema: z
    .string()
    .regex(
      /^(?:checks|approver|rules)(?:,(?:checks|approver|rules))*$/,
      "`checks`, `approver`, `rules`, with commas between",
    ),
};

/** Files and folders, for a monorepo. */
export const pathsOption: OptionGrammar = {
  value: "PATHS",
  summary: "Files and folders that the run is about, with commas between: `packages/api,docs`.",
  schema: z
    .string()
    .regex(
      /^(?!\/|!|\.\.?\/)[^\s,{}()!]+(?:,(?!\/|\.\.?\/)[^\s,{}()!]+){0,19}$/,
      "paths from the root of the repository, with commas between",
    ),
};

const units = { m: 1, h: 60, d: 1_440 } as const;

/** The value in minutes. */
export const deadlineOption: OptionGrammar = {
  value: "TIME",
  summary:
    "When you want the result: `90m`, `4h`, `2d`. The earliest goes first among agents with one priority, but an hour of waiting counts as a deadline.",
  schema: z
    .string()
    .regex(/^[1-9]\d{0,4}[mhd]$/, "a time such as `90m`, `4h`, or `2d`")
    .transform((text) => Number(text.slice(0, -1)) * units[text.slice(-1) as keyof typeof units])
    .refine((minutes) => minutes <= 43_200, "at most 30 days"),
};

/** Decides whose agents go first. */
export const priorityOption: OptionGrammar = {
  value: "NAME",
  summary: "Priority when agents wait for each other: `critical`, `high`, `normal`, or `low`.",
  schema: z.enum(priorities, `one of ${priorities.join(", ")}`),
};
