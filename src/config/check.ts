/**
 * The check run on a pull request that changes `baton.yaml`: problems at their lines, or the effective changes.
 * Baton judges by the configuration of the base branch (Y1). The check run only shows.
 */
import { effectiveDifference, type SettingsChange } from "./effective.ts";
import type { ParsedConfig } from "./parse.ts";
import type { ConfigProblem } from "./problem.ts";
import type { Settings } from "./schema.ts";

/** The contents of a check run, independent of GitHub's port. */
export interface ConfigCheck {
  conclusion: "success" | "neutral" | "failure";
  title: string;
  summary: string;
  annotations: { path: string; line: number; level: "warning" | "failure"; message: string; title: string }[];
}

const rowsMax = 100;

/** The same for files of `.github/baton/processes`: problems at their lines, in words. */
export function processesCheck(files: readonly { path: string; problems: readonly ConfigProblem[] }[]): ConfigCheck {
  const broken = files.filter(({ problems }) => problems.some(({ severity }) => severity === "error"));
  const names = (some: typeof files): string => some.map(({ path }) => `\`${path}\``).join(", ");
  return {
    conclusion: broken.length > 0 ? "failure" : "success",
    title:
      broken.length > 0
        ? `${count(broken.length, "process", "processes")} with problems`
        : `${count(files.length, "process is", "processes are")} right`,
    summary: [
      broken.length > 0
        ? `Not right, so Baton would not run: ${names(broken)}.`
        : `Checked: ${names(files)}. Until this is merged, Baton runs the base branch's version.`,
      ...broken.map(({ path, problems }) => `\`${path}\`\n${problems.map(listed).join("\n")}`),
    ].join("\n\n"),
    annotations: files.flatMap(({ path, problems }) => problems.map((problem) => annotate(path, problem))),
  };
}

/** Merges two checks of one pull request: the worse conclusion, both texts. */
export function bothChecks(one: ConfigCheck | null, other: ConfigCheck | null): ConfigCheck | null {
  if (one === null || other === null) return one ?? other;
  const order = ["success", "neutral", "failure"] as const;
  return {
    conclusion: order[Math.max(order.indexOf(one.conclusion), order.indexOf(other.conclusion))] ?? "failure",
    title: `${one.title}; ${other.title}`,
    summary: `${one.summary}\n\n${other.summary}`,
    annotations: [...one.annotations, ...other.annotations],
  };
}

export function configCheck({
  path,
  parsed,
  base,
}: {
  path: string;
  parsed: ParsedConfig;
  base: Settings;
}): ConfigCheck {
  const annotations = parsed.problems.map((problem) => annotate(path, problem));
  const errors = parsed.problems.filter(({ severity }) => severity === "error").length;
  const warnings = parsed.problems.length - errors;
  if (!parsed.ok) {
    return {
      conclusion: "failure",
      title: `${count(errors, "problem")} in ${path}`,
      summary: `\`${path}\` is not right, so Baton would start nothing with it.\n\n${parsed.problems.map(listed).join("\n")}`,
      annotations,
    };
  }
  const changes = effectiveDifference(base, parsed.settings);
  const looser = changes.filter(({ loosens }) => loosens).length;
  const title = [
    changes.length === 0 ? "Nothing changes in effect" : count(changes.length, "setting changes", "settings change"),
    ...(looser > 0 ? [`${looser} allow${looser === 1 ? "s" : ""} more than before`] : []),
    ...(warnings > 0 ? [count(warnings, "warning")] : []),
  ];
  return {
    // Neutral: a person should check it, but nothing is broken.
    conclusion: looser > 0 || warnings > 0 ? "neutral" : "success",
    title: title.join(", "),
    summary: [renderDifference(changes), ...(warnings > 0 ? [parsed.problems.map(listed).join("\n")] : [])].join(
      "\n\n",
    ),
    annotations,
  };
}

/** A table. Changes that allow more come first. */
export function renderDifference(changes: readonly SettingsChange[]): string {
  if (changes.length === 0) return "Baton's behavior is unchanged.";
  const sorted = [...changes].sort((a, b) => Number(b.loosens) - Number(a.loosens));
  const rows = sorted
    .slice(0, rowsMax)
    .map(
      ({ path, from, to, loosens }) =>
        `| ${cell(path)} | ${cell(from)} | ${cell(to)} | ${loosens ? "**allows more**" : ""} |`,
    );
  const more = sorted.length > rowsMax ? [`| and ${sorted.length - rowsMax} more | | | |`] : [];
  return ["| Setting | Before | After | |", "|---|---|---|---|", ...rows, ...more].join("\n");
}

/** The problem, with a guess of the intended word. */
function told({ message, suggestion }: ConfigProblem): string {
  return suggestion === null ? message : `${message} Did you mean \`${suggestion}\`?`;
}

function annotate(path: string, problem: ConfigProblem): ConfigCheck["annotations"][number] {
  return {
    path,
    line: problem.line,
    level: problem.severity === "error" ? "failure" : "warning",
    message: told(problem),
    title: problem.path === "" ? (path.split("/").at(-1) ?? path) : problem.path,
  };
}

function listed(problem: ConfigProblem): string {
  return `- Line ${problem.line}${problem.severity === "warning" ? " (warning)" : ""}: ${told(problem)}`;
}

/** Code in a table: a bar or a line break would end the cell. */
function cell(text: string): string {
  const plain = text.replaceAll(/[`\r\n]/g, "?").replaceAll("|", "\\|");
  return `\`${plain.length > 200 ? `${plain.slice(0, 200)}…` : plain}\``;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
