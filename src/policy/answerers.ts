/**
 * The people whom Baton mentions for a question, and the others who may answer it. It uses settings and the run,
 * without asking GitHub.
 *
 * AN1 Baton mentions only people who may answer. If none is known, it mentions the person who asked for the run.
 * AN3 A review: `approvals.reviewers` and `teams`, otherwise the owners of the changed files, otherwise
 *     `approvals.people`. Where `approvals.people` is set, only these may approve, so only these are mentioned.
 * AN2 Whether an answer counts is decided when it comes (`approval.ts`, `rules/command-permission.ts`), never here.
 */
import type { Settings } from "../config/schema.ts";
import type { Actor, Permission } from "../core/vocabulary.ts";
import type { CodeOwners } from "./code-owners.ts";
import { permissionFor } from "./permission.ts";

export interface Answerers {
  /** Logins, without @. Baton mentions each. */
  called: string[];
  /** Teams, by slug. */
  teams: string[];
  /** Everybody with this permission may also answer. null: only the mentioned people may. */
  anybodyWith: Permission | null;
  /** A person who may not answer, in spite of the permission. null: there is none. */
  notBy: string | null;
}

/** If Baton mentions more people than this, nobody feels responsible. */
const calledMax = 10;

/** `approval`: a plan or protected files. `review`: the pull request. A command answers other questions. */
export function answerersOf(
  kind: "approval" | "review" | "answer" | "budget",
  requester: Pick<Actor, "login" | "kind">,
  { approvals, commands }: Pick<Settings, "approvals" | "commands">,
  owners: CodeOwners = { people: [], teams: [] },
): Answerers {
  const isPerson = requester.kind === "user";
  const self = isPerson ? [requester.login] : [];
  if (kind === "answer" || kind === "budget") {
    const { permission } = permissionFor(kind, kind === "budget" ? "run" : "steer", commands);
    return { called: self, teams: [], anybodyWith: permission, notBy: null };
  }
  const maySelf = approvals.self === "allow" && isPerson;
  const isRequester = (login: string): boolean => login.toLowerCase() === requester.login.toLowerCase();
  const { permission } = approvals;
  const notBy = maySelf || !isPerson ? null : requester.login;
  const others = approvals.people.filter((login) => maySelf || !isRequester(login));
  if (others.length > 0) {
    const named = new Set(others.map((login) => login.toLowerCase()));
    const listed = owners.people.filter((login) => kind === "review" && named.has(login.toLowerCase()));
    return { called: (listed.length > 0 ? listed : others).slice(0, calledMax), teams: [], anybodyWith: null, notBy };
  }
  const reviewers = kind === "review" ? approvals.reviewers.filter((login) => maySelf || !isRequester(login)) : [];
  const teams = kind === "review" ? approvals.teams.slice(0, calledMax) : [];
  if (reviewers.length + teams.length > 0)
    return { called: reviewers.slice(0, calledMax), teams, anybodyWith: permission, notBy };
  const called = owners.people.filter((login) => kind === "review" && (maySelf || !isRequester(login)));
  const owning = kind === "review" ? owners.teams : [];
  if (called.length + owning.length > 0)
    return {
      called: called.slice(0, calledMax),
      teams: owning.slice(0, calledMax).map((team) => team.split("/")[1] ?? ""),
      anybodyWith: permission,
      notBy,
    };
  return { called: self, teams: [], anybodyWith: permission, notBy };
}
