import { type CliCommand, group } from "../context.ts";
import { withRuns } from "../data.ts";

export const tokenRevoke: CliCommand = (program, context) => {
  group(program, "token", "Tokens of programs for the HTTP API.")
    .command("revoke <name>")
    .description("Revoke a token. Its next request is refused, and its open event streams end within 15 s.")
    .action(async (name: string) => {
      const { name: revoked } = await withRuns(context, ({ tokens }) => tokens.revoke(name));
      context.print(`The token ${revoked} is revoked.`);
    });
};
