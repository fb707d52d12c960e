import type { Settings } from "../config/schema.ts";
import type { Permission } from "../core/vocabulary.ts";

const order: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];

export function atLeast(permission: Permission, needed: Permission): boolean {
  const need = order.indexOf(needed);
  // A word that is not in the list, from either side, permits nothing.
  return need >= 0 && order.indexOf(permission) >= need;
}

/** Permission that a command needs, and the key of `baton.yaml` that sets it. null: no key does. */
export function permissionFor(
  command: string,
  needs: "run" | "steer" | "read" | "admin",
  settings: Settings["commands"],
): { permission: Permission; key: string | null } {
  const allow: Partial<Record<string, Permission>> = settings.allow;
  const own = Object.hasOwn(allow, command) ? allow[command] : undefined;
  if (own !== undefined) return { permission: own, key: `commands.allow.${command}` };
  return needs === "read" || needs === "admin"
    ? { permission: needs, key: null }
    : { permission: settings[needs], key: `commands.${needs}` };
}
