/**
 * The dashboard issue, opened if there is none.
 *
 * OD1 One process at a time opens it: in an App under a lease, in Actions mode by a claim in the data that all jobs share.
 * OD2 Its number is kept before the next process looks, because GitHub's list may show a new issue late.
 */
import { z } from "zod";
import { BatonError } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";
import type { Dependencies, SharedValues } from "../runner/dependencies.ts";
import { underLease } from "../runner/under-lease.ts";
import { dashboardTitle, newDashboard } from "../thread/render/dashboard.ts";

/** In Actions mode, shared by all jobs: the number of the dashboard issue. */
export const dashboardName = "schedules.dashboard";
/** The job that opens it now. */
const openingName = "schedules.dashboard-opening";
const openingSchema = z.object({ by: z.string(), at: z.number() }).nullable().catch(null);

const numbers = defineValues("dashboard-issue/", z.number().int());

const openMs = 60_000;
const appRetryMs = 100;
/** Each look of a job is a push. */
const jobRetryMs = 3_000;

type Place = Pick<Dependencies, "store" | "clock" | "owner" | "shared">;
type JobPlace = Pick<Dependencies, "clock" | "owner"> & { shared: SharedValues };
type Open = (kept: number | null) => Promise<number>;

export function dashboardMarker(repositoryId: number): string {
  return `dashboard:${repositoryId}`;
}

/** Null: nobody opened it, or a job of Actions did. */
export async function knownDashboard(store: Pick<Dependencies["store"], "value">, id: number): Promise<number | null> {
  return readValue(store, numbers.at(id));
}

export async function openDashboard(
  { shared, ...place }: Place,
  github: Github,
  repository: Repository,
  known: number | null,
): Promise<number> {
  if (shared !== undefined) return openDashboardInJob({ ...place, shared }, github, repository, known);
  return find(github, repository, known, (open) => inApp(place, repository, open));
}

/** For a job that has not opened the state of a thread. */
export async function openDashboardInJob(
  place: JobPlace,
  github: Github,
  repository: Repository,
  known: number | null,
): Promise<number> {
  return find(github, repository, known, (open) => inJob(place, open));
}

async function find(
  github: Github,
  repository: Repository,
  known: number | null,
  alone: (open: Open) => Promise<number>,
): Promise<number> {
  const marker = dashboardMarker(repository.id);
  // An existing one keeps its text: only the outbox writes that.
  const existing = await github.ownIssue(repository, marker, known);
  if (existing !== null) return existing;
  return alone(async (kept) => {
    const opened = await github.ownIssue(repository, marker, kept ?? known);
    if (opened !== null) return opened;
    const made = { marker, title: dashboardTitle, body: newDashboard, knownNumber: null };
    return (await github.ensureIssue(repository, made)).number;
  });
}

/** OD1, OD2 */
async function inApp({ store, clock, owner }: Omit<Place, "shared">, { id }: Repository, open: Open): Promise<number> {
  const lease = { name: `dashboard-issue:${id}`, owner, forMs: openMs, retryMs: appRetryMs };
  return underLease({ store, clock }, lease, async ({ demand }) => {
    const number = await open(await readValue(store, numbers.at(id)));
    await demand();
    await writeValue(store, numbers.at(id), number);
    return number;
  });
}

/** OD1, OD2 */
async function inJob({ shared, clock, owner }: JobPlace, open: Open): Promise<number> {
  const deadline = clock.now() + 2 * openMs;
  while (!(await claims(shared, { by: owner, at: clock.now() }))) {
    if (clock.now() > deadline)
      throw new BatonError("BATON_LEASE_LOST", "Another job opens the dashboard issue of this repository.");
    await clock.sleepUntil(clock.now() + jobRetryMs);
  }
  const number = await open(numberIn(await shared.value(dashboardName)));
  await shared.change(dashboardName, () => number);
  await shared.change(openingName, () => null);
  return number;
}

/** A claim of a job that ended meanwhile counts for a minute. */
async function claims(shared: SharedValues, mine: { by: string; at: number }): Promise<boolean> {
  let isMine = false;
  await shared.change(openingName, (before) => {
    const other = openingSchema.parse(before);
    isMine = other === null || other.by === mine.by || mine.at - other.at >= openMs;
    return isMine ? mine : before;
  });
  return isMine;
}

export function numberIn(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
