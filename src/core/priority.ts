/** Who goes first where agents wait for each other. */
export const priorities = ["critical", "high", "normal", "low"] as const;
export type Priority = (typeof priorities)[number];

/** 0 goes first. */
export function rankOf(priority: Priority): number {
  return priorities.indexOf(priority);
}
