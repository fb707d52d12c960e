/** Starts the longest test files first, so that no worker waits for one of them at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Beginnings of paths, longest test first. Other files follow, the larger file first. */
const longest = [
  "test/scenarios/run",
  "test/scenarios/faults",
  "test/action/remote.test",
  "test/action/jobs",
  "test/scenarios/crash",
  "test/hosts",
  "test/start",
  "test/scenarios/routing",
  "test/contract/git-state-",
  "src/adapters/workspace/hostile-attempt",
  "src/adapters/workspace/workspaces",
  "test/prove/prove",
  "test/action/retention",
  "test/action/triggers",
  "test/action/dispatch",
  "src/runner/durable-workspaces",
  "test/demo",
  "test/contract/harness",
  "test/scenarios/replicas",
  "test/action/",
  "test/scenarios/",
  "test/sandbox/",
  "test/prove/",
  "src/adapters/",
  "test/contract/",
];

/** In this order, so that only short files are left at the end. */
const projects = ["worlds", "alone", "mocked", "pure"];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((begin) => moduleId.startsWith(`${root}/${begin}`));
      return index < 0 ? longest.length : index;
    };
    // A process stays for the next file only while that file belongs to the same project. Stable within a rank.
    const place = (file: TestSpecification): number =>
      projects.indexOf(file.project.name) * longest.length * 2 + rank(file);
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}
