import { systemClock } from "../../adapters/system/clock.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";
import { table } from "../text.ts";

export const tokenList: CliCommand = (program, context) => {
  group(program, "token", "Tokens of programs for the HTTP API.")
    .command("list")
    .description("List tokens with person, scope, repositories and end. Expired and revoked ones go after 30 days.")
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const tokens = await withRuns(context, (runs) => runs.tokens.list());
      if (json === true) return context.print(JSON.stringify(tokens, null, 2));
      if (tokens.length === 0) return context.print("There are no tokens.");
      const now = systemClock.now();
      context.print(
        table([
          ["NAME", "ACTS AS", "SCOPE", "FOR", "STATE"],
          ...tokens.map(({ name, person, scope, repositories, owners, expiresAt, revokedAt }) => [
            name,
            person === null ? "-" : `@${person.login}`,
            scope,
            [...owners, ...repositories].join(", ") || "-",
            revokedAt !== null
              ? "revoked"
              : expiresAt <= now
                ? "expired"
                : `until ${new Date(expiresAt).toISOString().slice(0, 10)}`,
          ]),
        ]),
      );
    });
};
