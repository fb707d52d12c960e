/** The facts that the rules read. The shell gathers them, never a rule. People are identified by id (Z1). */
import type { Settings } from "../config/schema.ts";
import type { Actor } from "../core/vocabulary.ts";

export interface CommandFacts {
  command: string;
  actor: Actor;
  /** The App's own bot user. */
  ownUserId: number;
  /**
   * The permission that the command needs: that of `run` or `steer`, `read` to read, `admin` for repository settings.
   */
  needs: "run" | "steer" | "read" | "admin";
  /** True when the thread is a pull request whose head is in another repository, or in a deleted one. */
  headIsFork: boolean;
  /** True when the command makes Baton work on that head. */
  worksOnHead: boolean;
  /** The read-only lane for forks: a process that reads, and the head that the person named. Absent: not asked for. */
  lane?: ForkLane;
  settings: Settings;
}

export interface ForkLane {
  /** null: the command does not name a process that only reads. */
  process: string | null;
  /** The commit that the person named, or the start of it. null: none. */
  named: string | null;
  headSha: string;
  /** The command again, with the present head. */
  again: string;
}

type Person = Pick<Actor, "id" | "login">;

export interface ApproverFacts {
  approver: Pick<Actor, "id" | "login" | "kind" | "permission">;
  /** The person who started the run. */
  requester: Person;
  /** The authors of a schedule's files: `baton.yaml`, and the files of its process. */
  authors?: readonly Person[];
  /** The author of the pull request. A bot's work is nobody's own. */
  pullRequestAuthor?: (Person & Pick<Actor, "kind">) | null;
  /** The person who pushed the judged commit, if known. */
  lastPusher?: (Person & Pick<Actor, "kind">) | null;
  settings: Settings["approvals"];
}

export interface PublishFacts {
  /** The changes of the work, as git measured them. */
  paths: readonly string[];
  settings: Pick<Settings, "protectedPaths" | "breakpoints">;
}

export interface MergeFacts {
  /** The commit that the run produced and judged. */
  subjectSha: string;
  /** The pull request's current head. */
  headSha: string;
  /** The base branch of the gates and the approval. */
  subjectBase: string;
  /** The pull request's current base branch. */
  base: string;
  /** The commit that people approved. null: no approval was requested or given. */
  approvedSha: string | null;
  /** The gates' verdict on `subjectSha`. */
  gatesPassed: boolean;
  headIsFork: boolean;
  settings: Pick<Settings, "merge" | "breakpoints">;
}

export interface BudgetFacts {
  budgetUsd: number;
  addUsd: number;
  settings: Pick<Settings, "budget">;
}
