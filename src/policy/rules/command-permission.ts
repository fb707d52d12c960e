import type { CommandFacts } from "../facts.ts";
import { atLeast, permissionFor } from "../permission.ts";
import { allow, deny, type Rule } from "../rule.ts";

export const commandPermission: Rule<CommandFacts> = {
  name: "permission",
  summary:
    "Each command needs a permission on the repository: `commands.run`, `commands.steer` or `commands.allow.<command>`; reading needs read, `setup` admin.",
  judge({ actor, command, needs, settings }) {
    const { permission, key } = permissionFor(command, needs, settings.commands);
    const rule = key === null ? "" : ` (\`${key}\`)`;
    if (atLeast(actor.permission, permission))
      return allow(`@${actor.login} has **${actor.permission}**; **${permission}** is needed${rule}.`);
    return deny(
      `\`/baton ${command}\` needs the permission **${permission}** on this repository${rule}; ` +
        `@${actor.login} has **${actor.permission}**. Somebody with ${permission} access can ask for it.`,
    );
  },
};
