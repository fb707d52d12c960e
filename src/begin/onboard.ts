/**
 * Opens the first pull request in repositories that get the App, and keeps a book of them: owner, time and outcome.
 *
 * Owns: the book of each account, and the work of the round. Does not own: the rules (`onboarding/book.ts`), the proposal.
 * OD1 A repository is in the book before its delivery counts as handled, so a restart forgets none.
 * OD2 One process at a time opens pull requests of an account. Work that another one holds is left to the next round.
 * OD3 GitHub decides as well: a pull request of the set-up branch, open or closed, is never followed by a second one. That
 *     also holds after a lost database.
 */
import { z } from "zod";
import { toBatonError } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import {
  emptySetupBook,
  endOfTraits,
  type NewRepository,
  nextSetup,
  type SetupBook,
  type SetupEnd,
  type SetupEntry,
  setupBookSchema,
  waiting,
  withArrived,
  withEnd,
  withFailure,
  withGone,
  withRevived,
} from "../onboarding/book.ts";
import { setupBranch } from "../onboarding/propose.ts";
import { isServed } from "../policy/served-owners.ts";
import type { Github } from "../ports/github.ts";
import type { Store } from "../ports/store.ts";
import { defineValue, defineValues, readValue } from "../ports/values.ts";
import { changeValue, type ValuePlace } from "../runner/change-value.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { loadSettings } from "../runner/load-settings.ts";
import { proposeHere } from "./set-up-here.ts";

const books = defineValues("onboarding/", setupBookSchema);
/** Accounts, in lower case, whose repositories may wait. */
const accountsValue = defineValue("onboarding-accounts", z.array(z.string()));
/** Longer than one proposal takes. */
const leaseMs = 5 * 60_000;
/** A delivery waits for these. The round opens the others. */
const atOnceMax = 3;

/** News of a delivery about the repositories that the App reaches. */
export type InstallationNews = {
  account: string;
  installationId: number;
} /** null: the delivery does not list them. */ & (
  | { kind: "added"; repositories: readonly NewRepository[] | null }
  | { kind: "removed"; repositories: readonly NewRepository[] | null }
  /** GitHub accepts more than before. */
  | { kind: "allowed" }
);

export async function readSetupBook({ store }: { store: Pick<Store, "value"> }, account: string): Promise<SetupBook> {
  return (await readValue(store, books.at(account.toLowerCase()))) ?? emptySetupBook;
}

export async function changeSetupBook(
  place: ValuePlace,
  account: string,
  change: (book: SetupBook) => SetupBook,
): Promise<SetupBook> {
  const key = account.toLowerCase();
  const after = await changeValue(place, books.at(key), (before) => change(before ?? emptySetupBook));
  await remember(place, key, after);
  return after;
}

async function remember(place: ValuePlace, key: string, book: SetupBook): Promise<void> {
  if (waiting(book, { atInstall: true }).length > 0)
    await changeValue(place, accountsValue, (before) => [...new Set([...(before ?? []), key])]);
}

/** Returns a sentence about what it did. */
export async function noteInstallation(dependencies: Dependencies, news: InstallationNews): Promise<string> {
  const { clock, owners, onboarding } = dependencies;
  const { account, installationId } = news;
  if (onboarding === undefined) return "this Baton opens no set-up pull requests";
  if (!isServed(owners, account)) return `${account} is not among the accounts that this Baton serves`;
  const at = clock.now();
  if (news.kind === "removed") {
    const ids = news.repositories?.map(({ id }) => id) ?? null;
    await changeSetupBook(dependencies, account, (book) => withGone(book, { installationId, ids, at }));
    return "the App lost repositories";
  }
  if (!onboarding.atInstall) return "BATON_ONBOARDING is off";
  const repositories = news.kind === "added" ? (news.repositories ?? (await listed(dependencies, installationId))) : [];
  await changeSetupBook(dependencies, account, (book) =>
    news.kind === "added"
      ? withArrived(book, { installationId, repositories, at, asked: false })
      : withRevived(book, { ends: ["refused"], at }),
  );
  const done = await openSetups(dependencies, account, atOnceMax);
  return done.length === 0 ? "no set-up pull request is due" : done.join("; ");
}

async function listed({ github }: Pick<Dependencies, "github">, installationId: number): Promise<NewRepository[]> {
  const all = await github.repositories();
  return all.filter((one) => one.installationId === installationId);
}

/** The first commit of an empty repository. */
export async function noteFirstPush(dependencies: Dependencies, repository: Repository): Promise<void> {
  const { store, clock, onboarding } = dependencies;
  if (onboarding === undefined) return;
  const { entries } = await readSetupBook({ store }, repository.owner);
  if (entries[repository.id]?.end !== "empty") return;
  await changeSetupBook(dependencies, repository.owner, (book) =>
    withRevived(book, { ends: ["empty"], id: repository.id, at: clock.now() }),
  );
  await openSetups(dependencies, repository.owner, atOnceMax);
}

/** Somebody merged or closed a pull request, perhaps this one. */
export async function noteSetupDecision(
  dependencies: Dependencies,
  { repository, number, end }: { repository: Repository; number: number; end: "merged" | "closed" },
): Promise<void> {
  const { store, onboarding } = dependencies;
  if (onboarding === undefined) return;
  const { entries } = await readSetupBook({ store }, repository.owner);
  if (entries[repository.id]?.pullRequest === number)
    await keepDecision(dependencies, repository, { number, end: end === "merged" ? "set-up" : "declined" });
}

async function keepDecision(
  dependencies: Dependencies,
  { owner, id }: Pick<Repository, "owner" | "id">,
  { number, end }: { number: number; end: "set-up" | "declined" },
): Promise<void> {
  await changeSetupBook(dependencies, owner, (book) => {
    const known = book.entries[id];
    if (known?.pullRequest !== number) return book;
    // The day counts when it was opened.
    return withEnd(book, id, { end, at: known.endedAt ?? dependencies.clock.now(), pullRequest: number });
  });
}

/** The round: every account with repositories that wait. */
export async function openWaitingSetups(dependencies: Dependencies): Promise<Record<string, unknown> | null> {
  const { store, log, onboarding } = dependencies;
  if (onboarding === undefined) return null;
  const did: Record<string, unknown> = {};
  for (const account of (await readValue(store, accountsValue)) ?? []) {
    try {
      const done = await openSetups(dependencies, account);
      if (done.length > 0) did[account] = done.join("; ");
    } catch (thrown) {
      log.warn("Set-up pull requests of an account could not be opened; the next round tries again", {
        account,
        error: toBatonError(thrown),
      });
    }
    await forgetServed(dependencies, account);
  }
  return Object.keys(did).length === 0 ? null : did;
}

async function forgetServed(dependencies: Dependencies, account: string): Promise<void> {
  const book = await readSetupBook(dependencies, account);
  if (waiting(book, { atInstall: true }).length > 0) return;
  await changeValue(dependencies, accountsValue, (before) => (before ?? []).filter((one) => one !== account));
  // A repository may have come in since the book was read. It enters the book before its account enters the list.
  await remember(dependencies, account, await readSetupBook(dependencies, account));
}

/** Opens the pull requests that an account may have now (OD2). Returns what came of each. */
async function openSetups(
  dependencies: Dependencies,
  account: string,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const { store, clock, log, owner, owners, onboarding } = dependencies;
  // An operator may have taken the account off the list since it came in.
  if (onboarding === undefined || !isServed(owners, account)) return [];
  const held = await store.acquireLease(`onboarding:${account.toLowerCase()}`, owner, clock.now(), leaseMs);
  if (held === null) return [];
  let lease = held;
  const done: string[] = [];
  try {
    while (done.length < most) {
      const next = nextSetup(await readSetupBook(dependencies, account), clock.now(), onboarding);
      if (next === null) return done;
      const end = await openOne(dependencies, account, next);
      done.push(`${account}/${next.entry.name}: ${end ?? "GitHub did not answer"}`);
      log.info("A set-up pull request", {
        repository: `${account}/${next.entry.name}`,
        end: end ?? "tried again later",
      });
      const renewed = await store.renewLease(lease, clock.now(), leaseMs);
      if (renewed === null) return done;
      lease = renewed;
    }
    return done;
  } finally {
    await store.releaseLease(lease);
  }
}

/** null: GitHub failed, and Baton tries again later. */
async function openOne(
  dependencies: Dependencies,
  account: string,
  { id, entry }: { id: number; entry: SetupEntry },
): Promise<SetupEnd | null> {
  const { clock } = dependencies;
  const end = await setUp(dependencies, id, entry).catch((thrown: unknown) => {
    const { code, treatment, message } = toBatonError(thrown);
    if (treatment === "retryable") return null;
    return { end: code === "BATON_GITHUB_NOT_FOUND" ? ("gone" as const) : ("refused" as const), why: message };
  });
  await changeSetupBook(dependencies, account, (book) =>
    end === null ? withFailure(book, id, clock.now()) : withEnd(book, id, { ...end, at: clock.now() }),
  );
  if (end?.end === "opened") await noteEarlyDecision(dependencies, account, { id, entry }).catch(() => {});
  return end === null ? null : end.end;
}

/** Somebody may have decided before the book had the pull request's number. Then nobody noted it. */
async function noteEarlyDecision(
  dependencies: Dependencies,
  account: string,
  { id, entry }: { id: number; entry: SetupEntry },
): Promise<void> {
  const github = await dependencies.github.installation(entry.installationId);
  const repository = { ...(await github.repository(id)), installationId: entry.installationId };
  const last = await github.setup(repository).lastPullRequest(setupBranch);
  if (last === null || last.end === "open") return;
  const end = last.end === "merged" ? "set-up" : "declined";
  await keepDecision(dependencies, { owner: account, id }, { number: last.number, end });
}

async function setUp(
  dependencies: Dependencies,
  id: number,
  { installationId }: SetupEntry,
): Promise<{ end: SetupEnd; pullRequest?: number | null; why?: string }> {
  const github: Github = await dependencies.github.installation(installationId);
  const repository = { ...(await github.repository(id)), installationId };
  const setup = github.setup(repository);
  const kind = endOfTraits(await setup.traits());
  if (kind !== null) return { end: kind };
  if ((await github.branchSha(repository, repository.defaultBranch)) === null) return { end: "empty" };
  // OD3
  const last = await setup.lastPullRequest(setupBranch);
  if (last !== null) {
    const ends = { open: "opened", merged: "set-up", closed: "declined" } as const;
    return { end: ends[last.end], pullRequest: last.number };
  }
  const { settings } = await loadSettings(github, repository, repository.defaultBranch);
  const { pullRequest, proposal } = await proposeHere(dependencies, { github, repository, settings, byItself: true });
  if (pullRequest !== null) return { end: "opened", pullRequest: pullRequest.number };
  return proposal.refused.length === 0 ? { end: "set-up" } : { end: "refused", why: proposal.refused[0]?.reason ?? "" };
}
