import type { PullRequestFacts } from "../ports/github.ts";

/** The issue that a pull request by Baton is for. It only points people there, so the description is proof enough. */
export function workOf(pullRequest: PullRequestFacts | null, botId: number): number | null {
  if (pullRequest === null || pullRequest.author.id !== botId) return null;
  const [, number] = /^(?:Closes|For) #(\d+)$/m.exec(pullRequest.body) ?? [];
  return number === undefined ? null : Number(number);
}
