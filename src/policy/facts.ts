/** What the rules look at. Gathered by the shell, never by a rule; people are known by id (Z1). */
import type { Settings } from "../config/schema.ts";
import type { Actor } from "../core/vocabulary.ts";

export interface CommandFacts {
  command: string;
  actor: Actor;
  /** The App's own bot user. */
  ownUserId: number;
  /** Which permission the command needs: that of `run` or `steer`, `read` to read, `admin` for what concerns the repository. */
  needs: "run" | "steer" | "read" | "admin";
  /** True when the thread is a pull request whose head is in another repository, or in none that is left. */
  headIsFork: boolean;
  /** True when the command makes Baton work on that head. */
  worksOnHead: boolean;
  settings: Settings;
}

type Person = Pick<Actor, "id" | "login">;

export interface ApproverFacts {
  approver: Pick<Actor, "id" | "login" | "kind" | "permission">;
  /** Who started the run. */
  requester: Person;
  /** Who brought what a schedule runs: `baton.yaml`, and the files of its process. */
  authors?: readonly Person[];
  /** Who opened the pull request; a bot's work is nobody's own. */
  pullRequestAuthor?: (Person & Pick<Actor, "kind">) | null;
  /** Who pushed the commit that is judged, where that is known. */
  lastPusher?: (Person & Pick<Actor, "kind">) | null;
  settings: Settings["approvals"];
}

export interface PublishFacts {
  /** What the work changes, as git measured it. */
  paths: readonly string[];
  settings: Pick<Settings, "protectedPaths" | "breakpoints">;
}

export interface MergeFacts {
  /** The commit that the run worked for and judged. */
  subjectSha: string;
  /** The pull request's head now. */
  headSha: string;
  /** The branch that the gates and the approval are for. */
  subjectBase: string;
  /** The branch that the pull request goes to now. */
  base: string;
  /** The commit that people approved; null where no approval was asked for or given. */
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
