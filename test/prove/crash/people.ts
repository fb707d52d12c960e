/**
 * Lanes with one run at a time each. People ask for it, ask for its state, review it, and ask for the next.
 *
 * Owns: the acts of people, and the visible state of a thread. Does not own: processes and their deaths (`fleet.ts`).
 */
import type { Stage } from "../../../packages/local-github/demo/world.ts";
import { parseMarker } from "../../../src/text/marker.ts";
import type { Draw } from "../draw.ts";
import type { ThreadFacts } from "./oracle.ts";

/** A person whose answer was not heard repeats it after this time. */
const askAgainMs = 4_000;

export interface LaneRepository {
  /** `owner/name`. */
  name: string;
  mustMerge: boolean;
}

interface Work {
  repository: LaneRepository;
  issue: number;
  /** Comments of people that Baton answers. */
  commands: number[];
  willAskStatus: boolean;
  reviewedAt: number;
}

export class People {
  readonly #stage: Stage;
  readonly #draw: Draw;
  readonly #lanes: { repository: LaneRepository; work: Work | null }[];
  readonly #all: Work[] = [];

  constructor(stage: Stage, draw: Draw, repositories: readonly LaneRepository[]) {
    this.#stage = stage;
    this.#draw = draw;
    this.#lanes = repositories.map((repository) => ({ repository, work: null }));
  }

  get begun(): number {
    return this.#all.length;
  }

  get atWork(): number {
    return this.#lanes.filter(({ work }) => work !== null).length;
  }

  /** All people look at their threads once. `more`: a person whose run has ended begins another. */
  look(more: boolean): void {
    for (const lane of this.#lanes) {
      if (lane.work !== null && this.#isOver(lane.work)) lane.work = null;
      if (lane.work === null && more) lane.work = this.#begin(lane.repository);
      if (lane.work !== null) this.#act(lane.work);
    }
  }

  /** Everything that moves a thread, in one text. */
  shown(): string {
    return this.#lanes.map(({ work }) => (work === null ? "-" : JSON.stringify(this.#facts(work)))).join("\n");
  }

  facts(): ThreadFacts[] {
    return this.#all.map((work) => this.#facts(work));
  }

  /** The issue of a thread key, `<repository id>#<number>`, unique over all repositories. */
  issueOf(threadKey: string): number {
    const [id, number] = threadKey.split("#").map(Number) as [number, number];
    return id * 10_000 + number;
  }

  #begin(repository: LaneRepository): Work {
    const { github } = this.#stage;
    const title = `Write note-${this.#all.length + 1}.txt`;
    const { number } = github.openIssue({ repository: repository.name, as: "alice", title, body: "" });
    const work: Work = { repository, issue: number, commands: [], willAskStatus: this.#draw.flip(), reviewedAt: 0 };
    github.comment({ repository: repository.name, number, as: "alice", body: "/baton run" });
    this.#all.push(work);
    return work;
  }

  #act(work: Work): void {
    const { github } = this.#stage;
    const pull = this.#pulls(work)[0];
    if (pull === undefined) return;
    const at = { repository: work.repository.name };
    if (work.willAskStatus) {
      work.willAskStatus = false;
      const asked = { ...at, number: work.issue, as: "alice", body: "/baton status" };
      work.commands.push(github.comment(asked).id);
    }
    const isGreen = this.#checks(work, pull.pull.headSha).some(
      ({ name, conclusion }) => name === "test" && conclusion === "success",
    );
    const isAsked = pull.pull.requestedReviewerIds.length > 0 || work.reviewedAt > 0;
    if (!isGreen || !isAsked || performance.now() < work.reviewedAt + askAgainMs) return;
    work.reviewedAt = performance.now();
    github.review({ ...at, number: pull.number, as: "bob", event: "APPROVE" });
  }

  #isOver(work: Work): boolean {
    const { comments, pulls, checks, mustMerge } = this.#facts(work);
    return (
      comments.some(({ operation }) => operation?.startsWith("final:")) &&
      (!mustMerge || pulls.some(({ isMerged }) => isMerged)) &&
      checks.some(({ conclusion }) => conclusion !== null)
    );
  }

  #facts(work: Work): ThreadFacts {
    const repository = this.#repository(work);
    const pulls = this.#pulls(work);
    const head = pulls[0]?.pull.headSha ?? "";
    return {
      issue: this.issueOf(`${repository.id}#${work.issue}`),
      comments: [...repository.comments.values()]
        .filter(({ threadNumber, appId }) => threadNumber === work.issue && appId !== null)
        .map(({ body }) => ({ operation: parseMarker(body), body })),
      wanted: work.commands.map((id) => `reply:${id}`),
      pulls: pulls.map(({ number, pull }) => ({
        number,
        isMerged: pull.mergedAt !== null,
        headSha: pull.headSha,
        commits: pull.counts.commits,
      })),
      mustMerge: work.repository.mustMerge,
      checks: this.#checks(work, head)
        .filter(({ name }) => name === "Baton")
        .map(({ conclusion }) => ({ conclusion })),
    };
  }

  #checks(work: Work, headSha: string) {
    return [...this.#repository(work).checkRuns.values()].filter((run) => run.headSha === headSha);
  }

  #pulls(work: Work) {
    return [...this.#repository(work).threads.values()].flatMap(({ number, body, pull }) =>
      pull !== null && (body ?? "").includes(`Closes #${work.issue}\n`) ? [{ number, pull }] : [],
    );
  }

  #repository({ repository }: Work) {
    const [, name] = repository.name.split("/");
    const found = [...this.#stage.github.state.repositories.values()].find((one) => one.name === name);
    if (found === undefined) throw new Error(`no repository ${repository.name}`);
    return found;
  }
}
