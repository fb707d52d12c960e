/**
 * `publish`: one write to the outside, each an *ensure*. The journal's request is its outbox row: durable before, kept
 * until done.
 */
import { type PublishOperation, type PublishOutput, publishInputSchema } from "../../core/effect.ts";
import { BatonError, hasCode, toBatonError, unreachable } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Json, Verdict } from "../../core/vocabulary.ts";
import { mergeRefusal } from "../../policy/merge-refusal.ts";
import type { RepositoryAccess } from "../../ports/workspace.ts";
import { readableOutcomes } from "../../prompt/outcomes.ts";
import { reviewGateId } from "../../review/gate.ts";
import { mergeMessage } from "../../text/commit-message.ts";
import { conventionalTitle } from "../../text/conventional-title.ts";
import { cut, cutBytes } from "../../text/cut.ts";
import { pullRequestTitle } from "../../text/pull-request-title.ts";
import { renderMeasured } from "../../thread/render/measured.ts";
import { repositoryAccess } from "../repository-access.ts";
import { baseOf, settingsOf } from "../settings-of.ts";
import { mergeTrailers } from "./commit-options.ts";
import type { PerformContext, WorkPerformer } from "./performer.ts";
import { begunFrom, knowsLineage, mayDelete, mayMerge, mayPush, protectedAtPush } from "./publish-policy.ts";
import { publishedBefore, publishSigned } from "./publish-signed.ts";

export const publishPerformer: WorkPerformer = {
  estimateUsd: () => 0,
  async perform(context) {
    const { publish } = publishInputSchema.parse(context.effect.input);
    const output = await perform(context, publish);
    return { ok: true, output: output as unknown as Json, usage: [] };
  },
};

/** Enough to see a habit. */
const subjectsMax = 30;

/** The agent is asked for a title in the form of the history, and may not have kept to it. */
async function titleOf({ github, state, dependencies }: PerformContext, given: string, base: string): Promise<string> {
  const title = pullRequestTitle(dependencies.redact(given));
  const recent = await github.recentCommits(state.thread.repository, base, subjectsMax);
  return pullRequestTitle(
    conventionalTitle(
      title,
      recent.map(({ subject }) => subject),
    ),
  );
}

async function perform(context: PerformContext, operation: PublishOperation): Promise<PublishOutput> {
  const { github, state, dependencies } = context;
  const { repository } = state.thread;
  switch (operation.operation) {
    case "push": {
      const access = await repositoryAccess(github, repository, "write");
      const besides = knowsLineage(state, operation.sha) ? [] : await newAtRemote(context, access, operation);
      const asked = protectedAtPush(state, operation, besides);
      const present = asked.length === 0 ? [] : await dependencies.workspaces.pathStates(access, operation.sha, asked);
      await demand(context, "publish", mayPush(state, operation, present, besides));
      return { number: null, url: null, sha: await push(context, access, operation) };
    }
    case "pull-request": {
      const { head, base, draft } = operation;
      const [title, body] = await Promise.all([
        titleOf(context, operation.title, base),
        withMeasured(context, operation.body, operation.measured),
      ]);
      const pull = await github.ensurePullRequest(repository, { head, base, draft, title, body });
      return { number: pull.number, url: pull.url, sha: pull.headSha };
    }
    case "update-pull-request": {
      const { title, body, measured } = operation;
      const [changedTitle, changedBody] = await Promise.all([
        title === undefined
          ? {}
          : titleOf(context, title, baseOf(state) ?? repository.defaultBranch).then((one) => ({ title: one })),
        body === undefined ? {} : withMeasured(context, body, measured).then((one) => ({ body: one })),
      ]);
      await github.updatePullRequest(repository, operation.pullRequest, { ...changedTitle, ...changedBody });
      return { number: operation.pullRequest, url: null, sha: null };
    }
    case "request-review": {
      await github.ensureReviewRequest(repository, operation.pullRequest, operation.reviewers, operation.teams);
      return { number: operation.pullRequest, url: null, sha: null };
    }
    case "merge": {
      const pull = await github.pullRequest(repository, operation.pullRequest);
      // A moved head or base is a conflict, and the process judges it again. Everything else is the policy's "no".
      const base = operation.base ?? baseOf(state) ?? pull.baseRef;
      if (pull.baseRef !== base && !pull.merged)
        throw new BatonError(
          "BATON_GITHUB_CONFLICT",
          `The base of #${operation.pullRequest} is now ${pull.baseRef}; checks and approvals are for ${base}.`,
        );
      if (pull.headSha === operation.sha) await demand(context, "merge", mayMerge(state, operation, pull));
      const trailers = await mergeTrailers(context, pull.author.id);
      const commit =
        trailers === null || operation.method === "rebase"
          ? null
          : mergeMessage({ ...pull, title: dependencies.redact(pull.title) }, operation.method, trailers);
      const merged = await github
        .ensureMerged(repository, operation.pullRequest, operation.sha, operation.method, commit)
        .catch((thrown: unknown) => refusedMerge(context, operation, base, thrown));
      return { number: operation.pullRequest, url: null, sha: merged.sha };
    }
    case "enqueue": {
      const pull = await github.pullRequest(repository, operation.pullRequest);
      const base = operation.base ?? baseOf(state) ?? pull.baseRef;
      if (pull.merged) return { number: operation.pullRequest, url: null, sha: null };
      if (pull.headSha !== operation.sha || pull.baseRef !== base)
        throw new BatonError("BATON_GITHUB_CONFLICT", `#${operation.pullRequest} moved before it was enqueued.`);
      await demand(context, "merge", mayMerge(state, operation, pull));
      await github
        .ensureEnqueued(pull, operation.sha)
        .catch((thrown: unknown) => refusedMerge(context, operation, base, thrown));
      return { number: operation.pullRequest, url: null, sha: null };
    }
    case "update-branch": {
      const pull = await github.pullRequest(repository, operation.pullRequest);
      // Either it was done before a crash, or somebody pushed. The next check of the head decides.
      if (pull.headSha !== operation.sha) return { number: operation.pullRequest, url: null, sha: pull.headSha };
      const sha = await github
        .updateBranch(pull, operation.sha)
        .catch((thrown: unknown) => refusedMerge(context, operation, pull.baseRef, thrown));
      return { number: operation.pullRequest, url: null, sha };
    }
    case "comment": {
      const marker = `${state.runId}/${context.effect.key}`;
      const comment = await github.ensureComment(
        repository,
        operation.number,
        marker,
        shown(context, operation.body),
        null,
      );
      return { number: comment.id, url: comment.url, sha: null };
    }
    case "reply": {
      const marker = `${state.runId}/${context.effect.key}`;
      const body = dependencies.redact(operation.body);
      const { pullRequest, to } = operation;
      const reply =
        (await github.ensureReply(repository, pullRequest, to, marker, body)) ??
        (await github.ensureComment(repository, pullRequest, marker, body, null));
      return { number: reply.id, url: reply.url, sha: null };
    }
    case "review":
      return review(context, operation);
    case "check": {
      const { sha, name, conclusion, title, summary } = operation;
      const content = {
        name,
        status: "completed" as const,
        conclusion,
        title,
        summary: cutBytes(dependencies.redact(summary), limits.checkTextBytesMax),
        text: "",
        annotations: [],
        detailsUrl: null,
      };
      // One check run a commit and name: a later run of the pull request changes the same one.
      const externalId = reviewGateId(repository.id, sha);
      const made = await github.ensureCheckRun(repository, sha, externalId, content, null);
      return { number: made.id, url: made.url, sha: null };
    }
    case "delete-branch": {
      await demand(context, "publish", mayDelete(state, operation));
      const { branch, expectedSha } = operation;
      const access = await repositoryAccess(github, repository, "write");
      // Commits of other people on it belong to them, so such a branch stays.
      const head = await dependencies.workspaces.remoteHead(access, branch);
      if (head === expectedSha) await dependencies.workspaces.deleteRemoteBranch(access, { branch, expectedSha });
      return { number: null, url: null, sha: head === expectedSha ? null : head };
    }
    default:
      return unreachable(operation);
  }
}

/** Threads last: a review that GitHub refuses leaves everything as it was. */
async function review(
  { github, state, effect, dependencies }: PerformContext,
  operation: Extract<PublishOperation, { operation: "review" }>,
): Promise<PublishOutput> {
  const { repository } = state.thread;
  const { pullRequest: number, sha, earlier, comments, resolve, withdraw } = operation;
  const marker = `${state.runId}/${effect.key}`;
  const body = dependencies.redact(readableOutcomes(operation.body));
  const isEdit =
    comments.length === 0 && earlier !== null && (await github.editReview(repository, number, earlier, marker, body));
  const posted = isEdit
    ? { id: earlier, url: null, onLines: true }
    : await github.ensureReview(repository, number, marker, {
        sha,
        event: await eventFor({ github, state, dependencies }, operation),
        body,
        bodyWithFindings: dependencies.redact(readableOutcomes(operation.bodyWithFindings)),
        comments: comments.map((one) => ({ ...one, body: dependencies.redact(one.body) })),
      });
  if (earlier !== null)
    await github.retireReview(repository, number, earlier, {
      fold: posted.id !== earlier,
      withdraw: withdraw ? "Nothing of this review stands any more." : null,
    });
  for (const id of resolve) await github.resolveThread(id);
  return { number: posted.id, url: posted.url, sha: posted.onLines ? sha : null };
}

/** GitHub accepts no request for changes from a pull request's own author. */
async function eventFor(
  { github, state, dependencies }: Pick<PerformContext, "github" | "state" | "dependencies">,
  { event, pullRequest }: Extract<PublishOperation, { operation: "review" }>,
): Promise<"comment" | "request-changes"> {
  if (event === "comment") return event;
  const { bot } = await dependencies.github.identity();
  const { author } = await github.pullRequest(state.thread.repository, pullRequest);
  return author.id === bot.id ? "comment" : event;
}

/** The changes of each commit that the remote lacks, even if a later commit reverts them. */
async function newAtRemote(
  { state, dependencies: { workspaces } }: PerformContext,
  access: RepositoryAccess,
  { sha, expectedSha }: { sha: string; expectedSha: string | null },
): Promise<string[]> {
  await workspaces.fetch(access, baseOf(state) ?? state.thread.repository.defaultBranch);
  const paths = new Set<string>();
  for (const commit of await workspaces.commits(access, sha, { outgoing: expectedSha === null ? [] : [expectedSha] })) {
    const changed: string[][] = [];
    for (const parent of commit.parents)
      changed.push((await workspaces.diffStat(access, parent, commit.sha)).map(({ path }) => path));
    const [first = await workspaces.listFiles(access, commit.sha), ...others] = changed;
    // A merge itself changes only files that differ from all its parents.
    for (const path of first) if (others.every((other) => other.includes(path))) paths.add(path);
  }
  return [...paths];
}

/** The branch's head after the push. It differs from Baton's commit if GitHub signed it. */
async function push(
  context: PerformContext,
  access: RepositoryAccess,
  { branch, sha, expectedSha }: Extract<PublishOperation, { operation: "push" }>,
): Promise<string> {
  const { state, dependencies } = context;
  const scan = { knownShas: begunFrom(state), allowSecrets: settingsOf(state).secrets.allow };
  const signing = { access, branch, sha, expectedSha, scan };
  try {
    await dependencies.workspaces.push(access, { branch, sha, expectedSha, ...scan });
    return sha;
  } catch (thrown) {
    const error = toBatonError(thrown);
    // GitHub does not say beforehand whether Baton is exempt from the rule, so only the push shows it.
    if (error.code === "BATON_PUSH_REFUSED" && error.details?.["refusal"] === "signatures")
      return publishSigned(context, signing);
    const before = error.code === "BATON_BRANCH_MOVED" ? await publishedBefore(context, signing) : null;
    if (before === null) throw thrown;
    return before;
  }
}

/** PP4 */
async function demand({ judged }: PerformContext, action: "publish" | "merge", verdict: Verdict): Promise<void> {
  await judged?.(action, verdict);
  if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
}

/** A merge that GitHub refused, by the change that would allow it. A moved head or base stays a conflict. */
async function refusedMerge(
  { github, state }: PerformContext,
  { pullRequest, sha }: { pullRequest: number; sha: string },
  base: string,
  thrown: unknown,
): Promise<never> {
  const refused = (["BATON_GITHUB_CONFLICT", "BATON_GITHUB_DENIED"] as const).some((code) => hasCode(thrown, code));
  if (!refused) throw thrown;
  const error = toBatonError(thrown);
  const pull = await github.pullRequest(state.thread.repository, pullRequest);
  if (pull.merged || pull.state === "closed" || pull.headSha !== sha || pull.baseRef !== base)
    throw new BatonError("BATON_GITHUB_CONFLICT", error.message, { cause: thrown });
  const said = sentence(error.details?.["said"] ?? error.message);
  const status = Number(error.details?.["status"]) || null;
  const refusal = mergeRefusal({ said, status, mergeable: pull.mergeable, mergeableState: pull.mergeableState });
  throw new BatonError(
    refusal === "transient" ? "BATON_MERGE_LATER" : "BATON_MERGE_REFUSED",
    `GitHub does not merge #${pullRequest}: ${said}`,
    { cause: thrown, details: { refusal, said } },
  );
}

function sentence(said: string): string {
  return said.replaceAll(/\s+/g, " ").trim().slice(0, 400);
}

async function withMeasured(
  context: PerformContext,
  body: string,
  measured: { baseBranch: string; sha: string } | undefined,
): Promise<string> {
  const { github, state, dependencies } = context;
  if (measured === undefined) return shown(context, body);
  const { workspaces } = dependencies;
  const access = await repositoryAccess(github, state.thread.repository, "read");
  const files = await workspaces.changes(access, await workspaces.fetch(access, measured.baseBranch), measured.sha);
  const facts = renderMeasured(files, state);
  return shown(context, `${cut(body, limits.commentCharactersMax - facts.length)}\n\n${facts}`);
}

function shown({ dependencies }: PerformContext, text: string): string {
  return readableOutcomes(dependencies.redact(text));
}
