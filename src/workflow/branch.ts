/**
 * The branch of a run of a YAML process: each step's first commit, the pushed commits, and the final evidence.
 *
 * BR1 If the settings require people to approve a plan or protected paths, Baton asks them, whatever the file says.
 * BR2 A run that published a commit passes only with green checks on exactly this commit. If the settings require a review,
 *     it must be of exactly this commit too. At the end, Baton asks for the parts that the file left out.
 */
import type { AgentOutput } from "../core/effect.ts";
import { BatonError } from "../core/errors.ts";
import type { Evidence, Verdict } from "../core/vocabulary.ts";
import { matchesAny } from "../policy/paths.ts";
import type { ProcessContext } from "../process/process.ts";
import { pullRequestText } from "../prompt/handoff.ts";
import type { ProcessFacts } from "./facts.ts";

export class Branch {
  readonly #facts: ProcessFacts;
  /** The last commit of each step that may write. */
  readonly #heads = new Map<string, string>();
  readonly #agents: AgentOutput[] = [];
  readonly #greenOn = new Set<string>();
  readonly #approvedOn = new Set<string>();
  /** The number of steps that had touched a path when a person allowed its content. */
  readonly #allowedPaths = new Map<string, number>();
  readonly #verdicts: Verdict[] = [];
  /** GitHub's signed copies of commits, by the original commit. */
  readonly #publishedAs = new Map<string, string>();
  #pushedSha: string | null;
  #published = false;
  pullRequest: number | null;

  constructor(facts: ProcessFacts) {
    this.#facts = facts;
    this.#pushedSha = facts.branchSha;
    this.pullRequest = facts.pullRequest;
  }

  get firstSha(): string {
    return this.#facts.branchSha ?? this.#facts.baseSha;
  }

  get pushedSha(): string | null {
    return this.#pushedSha;
  }

  /** The commit of the last writing step before. A step that was skipped or changed nothing keeps its first commit. */
  headOf(writer: string | undefined): string {
    return this.present((writer === undefined ? undefined : this.#heads.get(writer)) ?? this.firstSha);
  }

  /** The commit as the remote has it after a push. */
  present(sha: string): string {
    return this.#publishedAs.get(sha) ?? sha;
  }

  leave(step: string, sha: string): void {
    this.#heads.set(step, sha);
  }

  worked(output: AgentOutput): void {
    this.#agents.push(output);
  }

  judged(verdict: Verdict, gate: string, sha: string): void {
    this.#verdicts.push(verdict);
    if (gate === "checks-green" && verdict.status === "passed") this.#greenOn.add(sha);
    if (gate === "checks-green" && verdict.status !== "passed") this.#greenOn.delete(sha);
  }

  approved(sha: string): void {
    this.#approvedOn.add(sha);
  }

  /** A child run worked on the same branch, so its pushed commit is the branch's commit. */
  takenOver(sha: string, pullRequest: number | null): void {
    this.#pushedSha = sha;
    this.pullRequest = pullRequest ?? this.pullRequest;
  }

  /** Returns the branch's commit after the push. */
  async push(ctx: ProcessContext, step: string, title: string, stage: object, sha: string): Promise<string> {
    await this.#askForPaths(ctx, step, stage, sha);
    if (sha === this.#pushedSha) return sha;
    if (sha === this.firstSha && this.#agents.every(({ headSha }) => headSha === null))
      throw new BatonError("BATON_STEP_FAILED", "There is nothing to push: no agent of this run changed anything.");
    const { branch } = this.#facts;
    const publish = { operation: "push" as const, branch, sha, expectedSha: this.#pushedSha };
    const pushed = await ctx.publish(`${step}/push`, { title, ...stage, publish });
    const head = pushed.sha ?? sha;
    if (head !== sha) this.#publishedAs.set(sha, head);
    this.#pushedSha = head;
    this.#published = true;
    return head;
  }

  /** Pushes first. An existing pull request gets the text only if the file gives one. */
  async openPullRequest(
    ctx: ProcessContext,
    step: string,
    title: string,
    stage: object,
    given: string,
    text: { title: string | null; body: string | null; draft: boolean },
  ): Promise<{ number: number | null; url: string | null; sha: string | null }> {
    const sha = await this.push(ctx, step, `Push ${this.#facts.branch}`, stage, given);
    const { thread, baseBranch, branch, texts } = this.#facts;
    const since = texts === undefined ? {} : { since: [] };
    const usual = pullRequestText({ thread, plan: "", steps: this.#agents, ...since });
    const measured = { baseBranch, sha };
    const body = text.body ?? usual.body;
    if (this.pullRequest === null) {
      const opened = await ctx.publish(step, {
        title,
        ...stage,
        publish: {
          operation: "pull-request",
          head: branch,
          base: baseBranch,
          title: text.title ?? usual.title,
          body,
          draft: text.draft,
          measured,
        },
      });
      this.pullRequest = opened.number;
      return opened;
    }
    const refreshed = {
      operation: "update-pull-request" as const,
      pullRequest: this.pullRequest,
      ...(text.title === null ? {} : { title: text.title }),
      // The text of another author's pull request belongs to that author.
      ...(text.body === null && this.#facts.pullRequest !== null ? {} : { body }),
      measured,
    };
    return ctx.publish(step, { title, ...stage, publish: refreshed });
  }

  async #askForPaths(ctx: ProcessContext, step: string, stage: object, sha: string): Promise<void> {
    const { protectedPaths, protectedPathsBreakpoint } = this.#facts.settings;
    const steps = this.#agents.map(({ files }) => new Set(files.map(({ path }) => path)));
    /** The count rises when another step changes the content of the path. */
    const times = (path: string): number => steps.filter((paths) => paths.has(path)).length;
    const touched = [...new Set(steps.flatMap((paths) => [...paths]))].filter(
      (path) => matchesAny(path, protectedPaths) && this.#allowedPaths.get(path) !== times(path),
    );
    if (touched.length === 0) return;
    const denied = "Protected paths were changed and nobody allowed it.";
    if (protectedPathsBreakpoint === "deny") throw new BatonError("BATON_POLICY_DENIED", denied);
    const { decision } = await ctx.breakpoint(`${step}/protected-paths`, {
      title: `Allow changes of ${touched.length} protected path${touched.length === 1 ? "" : "s"}`,
      ...stage,
      kind: "protected-paths",
      subject: {
        paths: touched,
        text: touched.map((path) => `- \`${path}\``).join("\n"),
        change: { baseSha: this.firstSha, sha },
      },
    });
    if (decision !== "approved") throw new BatonError("BATON_POLICY_DENIED", denied);
    for (const path of touched) this.#allowedPaths.set(path, times(path));
  }

  /** BR2. `reason` and `given`: the results of the steps. */
  async finish(ctx: ProcessContext, reason: string, given: readonly Evidence[]): Promise<Verdict> {
    const verdict = (status: Verdict["status"], said: string): Verdict => ({
      name: "result",
      status,
      reason: said,
      evidence: [
        ...given,
        ...(this.#pushedSha === null || !this.#published ? [] : [{ label: "head", value: this.#pushedSha }]),
      ],
      children: this.#verdicts.map(withoutLogs),
    });
    const { settings, baseBranch } = this.#facts;
    const said = [reason];
    while (this.#published && this.#pushedSha !== null) {
      const sha = this.#pushedSha;
      const onPullRequest = this.pullRequest === null ? {} : { pullRequest: this.pullRequest };
      if (!this.#greenOn.has(sha)) {
        const checks = await ctx.gate(
          "finish/checks",
          {
            title: `Checks on ${sha.slice(0, 7)}`,
            gate: "checks-green",
            sha,
            ...onPullRequest,
            options: { baseBranch },
          },
          { timeoutMs: settings.checksTimeoutMs * 2 },
        );
        this.judged(checks, "checks-green", sha);
        if (checks.status !== "passed") return verdict("failed", `Not green: ${checks.reason}`);
      }
      said.push("Checks are green.");
      if (settings.reviewBreakpoint === "auto" || this.pullRequest === null || this.#approvedOn.has(sha)) break;
      const review = await ctx.breakpoint("finish/review", {
        title: `Review of ${sha.slice(0, 7)}`,
        kind: "review",
        subject: { pullRequest: this.pullRequest, sha },
      });
      if (review.decision === "voided" && review.sha !== null && review.sha !== sha) {
        // Somebody pushed. Baton judges the new head again.
        this.#pushedSha = review.sha;
        said.pop();
        continue;
      }
      if (review.decision !== "approved")
        return verdict("failed", `The review did not approve. ${review.feedback}`.trim());
      said.push(`Approved by @${review.by?.login ?? "somebody"}.`);
      break;
    }
    return verdict("passed", said.join(" "));
  }

  failed(reason: string): Verdict {
    return { name: "result", status: "failed", reason, evidence: [], children: this.#verdicts.map(withoutLogs) };
  }
}

/** Logs are for agents. A verdict for people links to the check instead. */
function withoutLogs(verdict: Verdict): Verdict {
  return {
    ...verdict,
    evidence: verdict.evidence.filter(({ label }) => label !== "log"),
    children: verdict.children.map(withoutLogs),
  };
}
