import { BatonError } from "../../core/errors.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { operator, withRuns } from "../data.ts";

export const runStart: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("start <owner/name#number> [words...]")
    .description(
      "Start a run in an issue or pull request, as a comment `/baton run <words>` there does. Needs a running App. Write options of `/baton run` after `--`.",
    )
    .option(...jsonOption)
    .action(async (thread: string, words: string[], { json }: { json?: true }) => {
      const [, repository, number] = /^([\w.-]+\/[\w.-]+)#([1-9]\d{0,8})$/.exec(thread) ?? [];
      if (repository === undefined)
        throw new BatonError("BATON_INPUT_INVALID", `"${thread}" is not a thread. Write owner/name#number.`);
      const request = { repository, number: Number(number), text: words.join(" "), by: operator(context) };
      const runId = await withRuns(context, (runs) => runs.start(request));
      context.print(json === true ? JSON.stringify({ runId }) : `${runId} has started. \`baton run show ${runId}\``);
    });
};
