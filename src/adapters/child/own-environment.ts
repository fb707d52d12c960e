/** Baton's own environment, for the person's git in a terminal. Agents get a list instead (`harness/environment.ts`). */
export function ownEnvironment(): Record<string, string> {
  const set = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set);
}
