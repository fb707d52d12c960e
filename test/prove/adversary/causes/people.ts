/** People without permission, reviews that do not count, and false green. */
import { defaultSettings, type Settings } from "../../../../src/config/schema.ts";
import type { Permission } from "../../../../src/core/vocabulary.ts";
import type { CheckFact } from "../../../../src/gate/facts.ts";
import { checksGreen } from "../../../../src/gate/rules/checks-green.ts";
import { mayApprove } from "../../../../src/policy/approval.ts";
import { decide } from "../../../../src/policy/decide.ts";
import { decideCommand } from "../../../../src/policy/decide-command.ts";
import type { ApproverFacts, CommandFacts, MergeFacts } from "../../../../src/policy/facts.ts";
import { type ReviewFact, reviewDecision } from "../../../../src/policy/review-decision.ts";
import { judge, type Rule } from "../../../../src/policy/rule.ts";
import { policyRules } from "../../../../src/policy/rules/index.ts";
import { type Cause, defineCause } from "../cause.ts";

const order: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];

/** The verdict without some of the rules: the guard switched off. */
function without<Facts>(rules: readonly Rule<Facts>[], names: readonly string[], facts: Facts): string {
  return judge({ name: "", rules: rules.filter(({ name }) => !names.includes(name)), facts, allowed: "" }).status;
}

interface Stranger {
  permission: string;
  needs: CommandFacts["needs"];
  allow: Record<string, Permission>;
  command: string;
}
const stranger = defineCause<Stranger>({
  name: "command without the permission that it needs",
  surface: "thread",
  guard: "src/policy/rules/command-permission.ts: GitHub's permission now, against `commands`",
  fixed: [
    { permission: "read", needs: "run", allow: {}, command: "run" },
    { permission: "owner", needs: "admin", allow: {}, command: "setup" },
    { permission: "write", needs: "run", allow: { run: "admin" }, command: "run" },
  ],
  draw(draw) {
    const needs = draw.one(["run", "steer", "admin"] as const);
    const command = draw.one(["run", "approve", "budget", "cancel", "setup", "retry"]);
    const strict = draw.flip()
      ? { [command]: draw.one(["maintain", "admin"] as const) }
      : ({} as Record<string, Permission>);
    const floor = strict[command] ?? (needs === "admin" ? "admin" : "write");
    const below = order.slice(0, order.indexOf(floor));
    return { permission: draw.one([...below, "Admin", "owner", "WRITE", "", "push"]), needs, allow: strict, command };
  },
  attack({ permission, needs, allow, command }, guarded) {
    const facts: CommandFacts = {
      command,
      actor: { id: 3, login: "mallory", kind: "user", permission: permission as Permission },
      ownUserId: 51,
      needs,
      headIsFork: false,
      worksOnHead: true,
      settings: {
        ...defaultSettings,
        commands: { ...defaultSettings.commands, allow: { ...defaultSettings.commands.allow, ...allow } },
      },
    };
    const status = guarded ? decideCommand(facts).status : without(policyRules.command, ["permission"], facts);
    return status === "passed" ? `@mallory with ${permission || "nothing"} gave /baton ${command}` : null;
  },
});

const fork = defineCause<{ command: string; permission: Permission }>({
  name: "agent on the head of a fork",
  surface: "repository",
  guard: "src/policy/rules/fork-head.ts: no agent runs on a fork's head",
  fixed: [{ command: "run", permission: "admin" }],
  draw: (draw) => ({
    command: `${draw.one(["run", "retry", "race", "resume", "approve"])}-${draw.word(3)}`,
    permission: draw.one(["write", "maintain", "admin"]),
  }),
  attack({ command, permission }, guarded) {
    const facts: CommandFacts = {
      command,
      actor: { id: 1, login: "alice", kind: "user", permission },
      ownUserId: 51,
      needs: "run",
      headIsFork: true,
      worksOnHead: true,
      settings: defaultSettings,
    };
    const status = guarded ? decideCommand(facts).status : without(policyRules.command, ["no-fork-head"], facts);
    return status === "passed" ? "the fork's head is worked on" : null;
  },
});

const approvals = defaultSettings.approvals;
const other = { id: 77, login: "somebody", kind: "user" as const };

function approver(change: Partial<ApproverFacts>): ApproverFacts {
  return {
    approver: { id: 2, login: "bob", kind: "user", permission: "maintain" },
    requester: other,
    settings: approvals,
    ...change,
  };
}

const own = ["requester", "pullRequestAuthor", "lastPusher"] as const;
const selfApproval = defineCause<{ part: (typeof own)[number]; permission: Permission; id: number }>({
  name: "approval of one's own work",
  surface: "policy",
  guard: "src/policy/rules/not-own-work.ts: requester, author and last pusher do not approve",
  fixed: own.map((part) => ({ part, permission: "admin" as const, id: 2 })),
  draw: (draw) => ({
    part: draw.one(own),
    permission: draw.one(["write", "maintain", "admin"]),
    id: draw.whole(1, 500),
  }),
  attack({ part, permission, id }, guarded) {
    const facts = approver({
      approver: { id, login: "bob", kind: "user", permission },
      [part]: { id, login: "bob", kind: "user" },
    });
    const status = guarded ? mayApprove(facts).status : without(policyRules.approve, ["not-own-work"], facts);
    return status === "passed" ? `approved as ${part}` : null;
  },
});

const renamed = defineCause<{ part: (typeof own)[number]; before: string; now: string; id: number }>({
  name: "approval of one's own work under another login",
  surface: "policy",
  guard: "src/policy/rules/not-own-work.ts V3: rules compare ids",
  fixed: [{ part: "requester", before: "alice", now: "alice-2", id: 1 }],
  draw: (draw) => ({
    part: draw.one(own),
    before: draw.word(),
    now: draw.one([draw.word(), `${draw.word()}-${draw.whole(1, 9)}`]),
    id: draw.whole(1, 500),
  }),
  attack({ part, before, now, id }, guarded) {
    // Without the guard, a person is their login.
    const numbered = (login: string): number =>
      guarded ? id : [...login].reduce((sum, one) => sum * 31 + (one.codePointAt(0) ?? 0), 7);
    const facts = approver({
      approver: { id: numbered(now), login: now, kind: "user", permission: "admin" },
      [part]: { id: numbered(before), login: before, kind: "user" },
    });
    return mayApprove(facts).status === "passed" ? "the same person approved under a new name" : null;
  },
});

const botApproval = defineCause<{ login: string; permission: Permission; listed: boolean }>({
  name: "approval by a bot",
  surface: "policy",
  guard: "src/policy/rules/approver-person.ts: no setting opens this",
  fixed: [{ login: "baton[bot]", permission: "admin", listed: false }],
  draw: (draw) => ({
    login: draw.one([`${draw.word()}[bot]`, draw.word(), "github-actions[bot]", "dependabot[bot]"]),
    permission: draw.one(["write", "maintain", "admin"]),
    listed: draw.flip(),
  }),
  attack({ login, permission, listed }, guarded) {
    const facts = approver({
      approver: { id: 9, login, kind: "bot", permission },
      settings: { ...approvals, people: listed ? [login] : [] },
    });
    const status = guarded ? mayApprove(facts).status : without(policyRules.approve, ["people-approve"], facts);
    return status === "passed" ? "the bot's approval counts" : null;
  },
});

const weakApproval = defineCause<{ permission: string; needed: Permission; people: string[] }>({
  name: "approval without the permission, or by somebody who is not listed",
  surface: "policy",
  guard: "src/policy/rules/approver-permission.ts, approver-listed.ts",
  fixed: [
    { permission: "read", needed: "write", people: [] },
    { permission: "admin", needed: "write", people: ["carol"] },
  ],
  draw(draw) {
    const needed = draw.one(["write", "maintain", "admin"] as const);
    const listed = draw.flip();
    return {
      permission: listed ? "admin" : draw.one([...order.slice(0, order.indexOf(needed)), "owner", "Write", ""]),
      needed,
      people: listed ? [draw.one(["carol", "bobby", "bob2", "b\u043eb", `${draw.word()}`])] : [],
    };
  },
  attack({ permission, needed, people }, guarded) {
    const facts = approver({
      approver: { id: 2, login: "bob", kind: "user", permission: permission as Permission },
      settings: { ...approvals, permission: needed as Settings["approvals"]["permission"], people },
    });
    const status = guarded
      ? mayApprove(facts).status
      : without(policyRules.approve, ["approver-permission", "approver-listed"], facts);
    return status === "passed" ? "the approval counts" : null;
  },
});

const shas = ["a", "b", "c", "d"].map((letter) => letter.repeat(40)) as [string, string, string, string];
const [head, older] = shas;

interface Review {
  by: number;
  state: ReviewFact["state"];
  sha: string;
}

function decisionOf(reviews: readonly Review[], change: { headSha?: string; any?: boolean } = {}): string {
  return reviewDecision({
    reviews: reviews.map(({ by, state, sha }, index) => ({
      id: index + 1,
      author: { id: by, login: `user-${by}`, kind: "user" },
      permission: "write",
      state,
      // Without the guard, every review is for the judged commit.
      sha: change.any === true ? head : sha,
      body: "",
      comments: [],
      submittedAt: `2026-11-02T10:${String(index).padStart(2, "0")}:00Z`,
    })),
    subjectSha: head,
    headSha: change.headSha ?? head,
    pullRequestState: "open",
    requester: { id: 1, login: "alice" },
    settings: approvals,
    takenIds: [],
  }).outcome;
}

const stale = defineCause<{ reviews: Review[]; headSha: string }>({
  name: "approval of another commit than the one that is merged",
  surface: "policy",
  guard: "src/policy/review-decision.ts V4: an approval is of a commit",
  fixed: [
    { reviews: [{ by: 2, state: "approved", sha: older }], headSha: head },
    { reviews: [{ by: 2, state: "approved", sha: head }], headSha: older },
  ],
  draw(draw) {
    const moved = draw.flip();
    const approvedSha = moved ? head : draw.one(shas.slice(1));
    const reviews = Array.from(
      { length: draw.whole(1, 4) },
      (): Review => ({ by: draw.whole(2, 6), state: "approved", sha: approvedSha }),
    );
    return { reviews, headSha: moved ? draw.one(shas.slice(1)) : head };
  },
  attack({ reviews, headSha }, guarded) {
    const outcome = guarded ? decisionOf(reviews, { headSha }) : decisionOf(reviews, { any: true });
    return outcome === "approved" ? "approved" : null;
  },
});

const states = ["approved", "changes-requested", "commented", "dismissed"] as const;
/** The last word of each person, without Baton's code. Comments do not count, and a dismissed review approves nothing. */
function anybodySaysYes(reviews: readonly Review[]): boolean {
  const last = new Map<number, Review>();
  for (const review of reviews) if (review.state !== "commented") last.set(review.by, review);
  const words = [...last.values()];
  return (
    words.some(({ state, sha }) => state === "approved" && sha === head) &&
    !words.some(({ state }) => state === "changes-requested")
  );
}

const withdrawn = defineCause<Review[]>({
  name: "approval that was withdrawn, dismissed or outvoted",
  surface: "policy",
  guard: "src/policy/review-decision.ts V5, V6: the last word of each person, and any objection",
  fixed: [
    [
      { by: 2, state: "approved", sha: head },
      { by: 2, state: "dismissed", sha: head },
    ],
    [
      { by: 2, state: "approved", sha: head },
      { by: 2, state: "changes-requested", sha: head },
    ],
    [
      { by: 2, state: "approved", sha: head },
      { by: 3, state: "changes-requested", sha: older },
    ],
  ],
  draw(draw) {
    for (;;) {
      const reviews = Array.from(
        { length: draw.whole(2, 6) },
        (): Review => ({ by: draw.whole(2, 3), state: draw.one(states), sha: draw.one([head, head, older]) }),
      );
      const tempting = reviews.some(({ state, sha }) => state === "approved" && sha === head);
      if (tempting && !anybodySaysYes(reviews)) return reviews;
    }
  },
  attack(reviews, guarded) {
    // Without the guard, nothing withdraws an approval.
    const outcome = decisionOf(guarded ? reviews : reviews.filter(({ state }) => state === "approved"));
    return outcome === "approved" ? "approved" : null;
  },
});

const mergeGuards = [
  "merge-configured",
  "merge-own-head",
  "merge-same-head",
  "merge-same-base",
  "merge-green",
  "merge-approved",
];
const merge = defineCause<{ lacks: string[]; review: "ask" | "auto" }>({
  name: "merge without all that it needs",
  surface: "policy",
  guard: "src/policy/rules/merge-allowed.ts: judged again when it is performed",
  fixed: mergeGuards.map((one) => ({ lacks: [one], review: "ask" as const })),
  draw: (draw) => ({ lacks: draw.shuffled(mergeGuards).slice(0, draw.whole(1, 4)), review: draw.one(["ask", "auto"]) }),
  attack({ lacks, review }, guarded) {
    const needed = review === "auto" ? lacks.filter((one) => one !== "merge-approved") : lacks;
    if (needed.length === 0) return null;
    const facts: MergeFacts = {
      subjectSha: head,
      headSha: lacks.includes("merge-same-head") ? older : head,
      subjectBase: "main",
      base: lacks.includes("merge-same-base") ? "production" : "main",
      approvedSha: lacks.includes("merge-approved") ? older : head,
      gatesPassed: !lacks.includes("merge-green"),
      headIsFork: lacks.includes("merge-own-head"),
      settings: {
        merge: { ...defaultSettings.merge, mode: lacks.includes("merge-configured") ? "manual" : "auto" },
        breakpoints: { ...defaultSettings.breakpoints, review },
      },
    };
    const status = guarded ? decide({ action: "merge", facts }).status : without(policyRules.merge, lacks, facts);
    return status === "passed" ? `merged without ${needed.join(", ")}` : null;
  },
});

/** Paths that a file system or GitHub treats as a protected one. */
const protectedFiles = [
  ".github/workflows/ci.yml",
  "CODEOWNERS",
  ".github/CODEOWNERS",
  "baton.yaml",
  ".github/baton.yaml",
];
const protectedPaths = defineCause<string>({
  name: "protected file under a name that looks like another",
  surface: "agent",
  guard: "src/policy/rules/protected-paths.ts: globs without case, line breaks included",
  fixed: [".github/workflows/ci.yml", ".GITHUB/Workflows/CI.yml", ".github/workflows/a\nb.yml"],
  draw(draw) {
    const path = draw.one(protectedFiles);
    const cased = [...path].map((letter) => (draw.flip() ? letter.toUpperCase() : letter)).join("");
    return draw.one([
      cased,
      `.github/workflows/${draw.word()}${draw.one(["\n", " ", "\t", "'", "*"])}${draw.word()}.yml`,
      `.github/workflows/${draw.word()}/${draw.word()}.yaml`,
      `.github/workflows/.${draw.word()}.yml`,
    ]);
  },
  attack(path, guarded) {
    const facts = { paths: ["src/a.ts", path], settings: defaultSettings };
    const status = guarded
      ? decide({ action: "publish", facts }).status
      : without(policyRules.publish, ["protected-paths"], facts);
    return status !== "passed" ? null : `${JSON.stringify(path)} is published unseen`;
  },
});

const actions = 15_368;
const baton = 99;
interface Green {
  check: Partial<CheckFact>;
  required: { name: string; appId: number | null }[];
}
const falseGreen = defineCause<Green>({
  name: "green of another App, another commit or no green at all",
  surface: "repository",
  guard: "src/gate/rules/checks-green.ts: by name, App and commit; only success is success",
  fixed: [
    { check: { appId: 666 }, required: [{ name: "test", appId: actions }] },
    { check: { sha: older }, required: [] },
    { check: { appId: baton }, required: [] },
    { check: { name: "test2" }, required: [{ name: "test", appId: null }] },
  ],
  draw: (draw) => {
    const required = draw.flip() ? [{ name: "test", appId: draw.flip() ? actions : null }] : [];
    return {
      required,
      check: draw.one<Partial<CheckFact>>([
        { sha: draw.one(shas.slice(1)) },
        { appId: baton },
        ...(["neutral", "skipped", "cancelled", "timed_out", "stale", "action_required", "failure", null] as const).map(
          (conclusion) => ({ conclusion }),
        ),
        { conclusion: "SUCCESS" as never },
        ...(required.length === 0 ? [] : [{ name: draw.one(["Test", "test ", "t\u0435st", "tests", draw.word()]) }]),
        ...(required[0]?.appId == null
          ? []
          : [{ appId: draw.whole(500, 900) }, { appId: null, source: "status" as const }]),
      ]),
    };
  },
  attack({ check, required }, guarded) {
    const fact: CheckFact = {
      name: "test",
      source: "check-run",
      appId: actions,
      sha: head,
      status: "completed",
      conclusion: "success",
      id: 1,
      url: null,
      startedAt: null,
      summary: "",
      ...check,
    };
    // Without the guard, every check counts as the required one, of this App and commit, and complete.
    const meant = { ...fact, name: "test", source: "check-run" as const, appId: actions, sha: head };
    const taken: CheckFact = { ...meant, conclusion: fact.conclusion === "failure" ? "failure" : "success" };
    const verdict = checksGreen(
      { sha: head, since: 0, checks: [guarded ? fact : taken], required, suites: [], ownAppId: baton },
      defaultSettings.gates,
      1_000,
    );
    return verdict.status === "passed" ? `green by ${JSON.stringify(check)}` : null;
  },
});

const topUp = defineCause<{ addUsd: number; budgetUsd: number }>({
  name: "budget raised beyond what the owner allows",
  surface: "thread",
  guard: "src/money/budget.ts B3: up to `budget.maxUsd`",
  fixed: [
    { addUsd: 1e308, budgetUsd: 5 },
    { addUsd: 1_000_000, budgetUsd: 5 },
  ],
  draw: (draw) => ({
    addUsd: defaultSettings.budget.maxUsd + draw.whole(1, 10_000_000) / 100,
    budgetUsd: draw.whole(1, Math.max(1, defaultSettings.budget.maxUsd)),
  }),
  attack({ addUsd, budgetUsd }, guarded) {
    const facts = { budgetUsd, addUsd, settings: defaultSettings };
    const status = guarded
      ? decide({ action: "budget", facts }).status
      : without(policyRules.budget, ["budget-maximum"], facts);
    return status === "passed" ? `raised by ${addUsd}` : null;
  },
});

export const peopleCauses: readonly Cause[] = [
  stranger,
  fork,
  selfApproval,
  renamed,
  botApproval,
  weakApproval,
  stale,
  withdrawn,
  merge,
  protectedPaths,
  falseGreen,
  topUp,
];
