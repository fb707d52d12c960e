import { InvalidArgumentError } from "commander";
import { nearest } from "../../core/nearest.ts";
import { type RunStatus, runStatuses, shortRunId } from "../../core/vocabulary.ts";
import { usd } from "../../text/format.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";
import { table, threadOf } from "../text.ts";

interface Options {
  active?: true;
  repository?: string;
  thread?: { repository: string; number: number };
  status?: RunStatus;
  process?: string;
  since?: number;
  until?: number;
  limit: number;
  git?: string;
  json?: true;
}

export const runList: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("list")
    .description("List runs, newest first.")
    .option("--active", "Only those that are not over.")
    .option("--repository <owner/name>", "Only those of this repository.", repository)
    .option("--thread <owner/name#number>", "Only those of this issue or pull request.", thread)
    .option("--status <status>", `Only those with this status: ${runStatuses.join(", ")}.`, status)
    .option("--process <name>", "Only those of this process.")
    .option(
      "--since <date>",
      "Only those that began at this date (2026-11-30, in UTC) or within this time (7d, 12h).",
      date,
    )
    .option("--until <date>", "Only those that began before.", date)
    .option("--limit <number>", "At most so many.", whole, 20)
    .option(...gitOption)
    .option(...jsonOption)
    .action(async ({ git, json, thread: one, ...filter }: Options) => {
      const runs = await readRuns(context, git, (runs) => runs.list({ ...filter, ...one }));
      if (json === true) return context.print(JSON.stringify(runs, null, 2));
      if (runs.length === 0) return context.print("There are no such runs.");
      context.print(
        table([
          ["RUN", "THREAD", "PROCESS", "STATUS", "DONE", "COST", "WAITS FOR"],
          ...runs.map((run) => [
            shortRunId(run.runId),
            threadOf(run),
            run.process.name,
            run.status,
            `${run.progress.percent} %`,
            usd(run.money.spentUsd),
            run.waitsFor.map(({ sentence }) => sentence).join(" "),
          ]),
        ]),
      );
    });
};

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 200)
    throw new InvalidArgumentError("A number from 1 to 200.");
  return number;
}

function repository(text: string): string {
  if (!/^[\w.-]+\/[\w.-]+$/.test(text)) throw new InvalidArgumentError("Write owner/name.");
  return text;
}

function thread(text: string): { repository: string; number: number } {
  const [, name, number] = /^([\w.-]+\/[\w.-]+)#([1-9]\d{0,8})$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Write owner/name#number.");
  return { repository: name, number: Number(number) };
}

function status(text: string): RunStatus {
  const found = runStatuses.find((one) => one === text);
  const near = nearest(text, runStatuses);
  if (found === undefined)
    throw new InvalidArgumentError(
      `${near === null ? "" : `Did you mean \`${near}\`? `}One of ${runStatuses.join(", ")}.`,
    );
  return found;
}

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

function date(text: string): number {
  const [, amount, unit = ""] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  const at = amount === undefined ? Date.parse(text) : Date.now() - Number(amount) * (unitsMs[unit] as number);
  if (Number.isNaN(at) || (amount === undefined && !/^\d{4}-\d{2}-\d{2}/.test(text)))
    throw new InvalidArgumentError("Write a date as 2026-11-30, or a time as 7d or 12h.");
  return at;
}
