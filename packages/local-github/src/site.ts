/**
 * The only live object of the local GitHub: state, clock, addresses, locks, and the count of work in flight.
 * Everything else is a function that gets it.
 */

import type { Player } from "./pages/speak.ts";
import type { State } from "./state.ts";
import type { Delivery, WebhookPost } from "./webhooks.ts";

/** Enough to build a resource: a state (the present one, or an older one for a stale read) and addresses. */
export interface View {
  state: State;
  /** The address for people: `http://127.0.0.1:1234`. */
  origin: string;
  /** The address for programs. */
  apiUrl: string;
}

/** A workflow that somebody started. */
export interface WorkflowDispatch {
  /** `owner/name`. */
  repository: string;
  /** File name in `.github/workflows`. */
  workflow: string;
  ref: string;
  inputs: Record<string, string>;
  /** The id of the workflow run that starts. */
  runId: number;
  login: string;
}

export interface Site extends View {
  /** The person who acts in the pages. Null: they are read-only. */
  player: Player | null;
  /** Holds the bare repositories and the work directories of CI. */
  directory: string;
  now(): Date;
  /** GitHub's timestamps have seconds, no fractions. Two events can have the same timestamp. */
  timestamp(): string;
  post(webhook: WebhookPost): void;
  redeliver(delivery: Delivery): void;
  deliveries: Delivery[];
  onDispatch(dispatch: WorkflowDispatch): void;
  /** Runs one task after the other per repository, so that each ref change has a known cause. */
  locked<T>(repositoryId: number, work: () => Promise<T>): Promise<T>;
  /** Counts `work` as in flight until it ends. `settle()` throws its failures. */
  inFlight(work: Promise<unknown>): void;
  /** Aborts when the site closes. */
  closing: AbortSignal;
}

export function gitDirectory(site: { directory: string }, repositoryId: number): string {
  return `${site.directory}/repositories/${repositoryId}.git`;
}

export function nodeId(kind: string, id: number | string): string {
  return Buffer.from(`04:${kind}${id}`).toString("base64");
}
