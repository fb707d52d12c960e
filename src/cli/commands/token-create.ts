import { InvalidArgumentError } from "commander";
import { limits } from "../../core/limits.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";

const scopes = ["read", "steer", "admin", "metrics"] as const;

interface Options {
  as?: string;
  scope: (typeof scopes)[number];
  repository: string[];
  owner: string[];
  days: number;
  json?: true;
}

export const tokenCreate: CliCommand = (program, context) => {
  group(program, "token", "Tokens of programs for the HTTP API.")
    .command("create <name>")
    .description(
      "Create a token for a program. It acts as one person, within that person's permissions on GitHub, and never approves. Needs a running App. The token is printed once.",
    )
    .option("--as <login>", "The person that it acts as, by login on GitHub. Not for `metrics`.")
    .option(
      "--scope <scope>",
      "`read`, `steer` (also starts and steers runs), `admin` (also erases), or `metrics` (only `/metrics`).",
      scope,
      "read",
    )
    .option("--repository <owner/name>", "A repository that it is for. Repeat it for more.", several, [])
    .option("--owner <login>", "An account, all of whose repositories it is for. Repeat it for more.", several, [])
    .option("--days <number>", `It ends after so many days, ${limits.apiTokenDaysMax} at most.`, days, 90)
    .option(...jsonOption)
    .action(async (name: string, { as, scope, repository, owner, days, json }: Options) => {
      const request = { name, scope, as: as ?? null, repositories: repository, owners: owner, days };
      const { token, kept } = await withRuns(context, ({ tokens }) => tokens.create(request));
      if (json === true) return context.print(JSON.stringify({ token, ...kept }, null, 2));
      context.print(token);
      context.note(
        `Keep it now: Baton has only its hash. It ends on ${new Date(kept.expiresAt).toISOString().slice(0, 10)}.`,
      );
    });
};

function several(value: string, before: string[]): string[] {
  return [...before, value];
}

function scope(text: string): string {
  if (!scopes.some((one) => one === text)) throw new InvalidArgumentError(`One of ${scopes.join(", ")}.`);
  return text;
}

function days(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > limits.apiTokenDaysMax)
    throw new InvalidArgumentError(`A number from 1 to ${limits.apiTokenDaysMax}.`);
  return number;
}
