/**
 * Whom Baton calls by name for a question, and who else may answer it: from settings and the run, without asking GitHub.
 *
 * AN1 Only people are called, and nobody who may not answer, but the person who asked for the run where nobody else is known.
 * AN2 Whether an answer counts is decided when it comes (`approval.ts`, `rules/command-permission.ts`), never here.
 */
import type { Settings } from "../config/schema.ts";
import type { Actor, Permission } from "../core/vocabulary.ts";
import { permissionFor } from "./permission.ts";

export interface Answerers {
  /** Logins, without @; each is told. */
  called: string[];
  /** Teams, by slug. */
  teams: string[];
  /** Everybody with this permission may answer as well; null: only those who are called. */
  anybodyWith: Permission | null;
  /** May not answer, though everybody with the permission may; null: nobody is left out. */
  notBy: string | null;
}

/** Calling more people than this tells nobody that it is theirs. */
const calledMax = 10;

/** `approval`: of a plan or of protected files. `review`: on the pull request. Others are answered by a command. */
export function answerersOf(
  kind: "approval" | "review" | "answer" | "budget",
  requester: Pick<Actor, "login" | "kind">,
  { approvals, commands }: Pick<Settings, "approvals" | "commands">,
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
  if (others.length > 0) return { called: others.slice(0, calledMax), teams: [], anybodyWith: null, notBy };
  const reviewers = kind === "review" ? approvals.reviewers.filter((login) => maySelf || !isRequester(login)) : [];
  const teams = kind === "review" ? approvals.teams.slice(0, calledMax) : [];
  const called = reviewers.length + teams.length > 0 ? reviewers.slice(0, calledMax) : self;
  return { called, teams, anybodyWith: permission, notBy };
}
