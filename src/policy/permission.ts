import type { Permission } from "../core/vocabulary.ts";

const order: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];

export function atLeast(permission: Permission, needed: Permission): boolean {
  return order.indexOf(permission) >= order.indexOf(needed);
}
