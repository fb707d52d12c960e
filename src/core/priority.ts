/** The order in which waiting agents start. */
export const priorities = ["critical", "high", "normal", "low"] as const;
export type Priority = (typeof priorities)[number];

/** 0 goes first. */
export function rankOf(priority: Priority): number {
  return priorities.indexOf(priority);
}
