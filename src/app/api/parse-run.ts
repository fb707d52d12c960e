/** The words after `/baton run`, with the grammar of the thread. */
import { commands } from "../../commands/index.ts";
import { BatonError } from "../../core/errors.ts";
import { type ParsedCommand, parseCommand } from "../../thread/parse-command.ts";

export function parseRun(text: string): Extract<ParsedCommand, { kind: "command" }> {
  const parsed = parseCommand(`/baton run ${text}`.trim(), commands);
  if (parsed.kind === "command" && parsed.name === "run") return parsed;
  throw new BatonError(
    "BATON_INPUT_INVALID",
    parsed.kind === "invalid"
      ? `${parsed.problem}. The text is as after \`/baton run\`.`
      : `\`${text.slice(0, 100)}\` is not a request for a run.`,
  );
}
