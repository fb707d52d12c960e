import { describe, expect, it } from "vitest";
import { mayMergeNow, mergeRefusal } from "./merge-refusal.ts";

const refusal = (said: string, mergeableState = "blocked", mergeable: boolean | null = true) =>
  mergeRefusal({ said, mergeable, mergeableState });

describe("merge-refused-once: what a refused merge waits for", () => {
  it.each([
    ["Base branch was modified. Review and try the merge again.", "transient"],
    ["Head branch was modified. Review and try the merge again.", "transient"],
    ["Merge already in progress", "transient"],
    ["This branch can't be rebased", "method"],
    ["Repository rule violations found\n\nChanges must be made through the merge queue\n\n", "queue"],
    ["Squash merges are not allowed on this repository.", "method"],
    ["Merge commits are not allowed on this repository.", "method"],
    ["Rebase merges are not allowed on this repository.", "method"],
    ["This branch must not contain merge commits.", "method"],
    ["Head branch is out of date. Review and try the merge again.", "behind"],
    ["At least 2 approving reviews are required by reviewers with write access.", "waits"],
    ["Waiting on code owner review from acme/core.", "waits"],
    ['Required status check "lint" is expected.', "waits"],
    ["Resource not accessible by integration", "waits"],
    ["Pull Request is not mergeable", "waits"],
    ["Something that GitHub says tomorrow", "waits"],
  ])("%s", (said, expected) => {
    expect(refusal(said)).toBe(expected);
  });

  it("GitHub's state of the pull request says what its words do not", () => {
    expect(refusal("2 of 2 required status checks are expected.", "behind")).toBe("behind");
    expect(refusal("Pull Request is not mergeable", "unknown", null)).toBe("transient");
    expect(refusal("Pull Request is not mergeable", "dirty", false)).toBe("waits");
  });

  it("a refusal of what GitHub calls mergeable passes, unless a rule or a person is meant", () => {
    const clean = (said: string, status: number) =>
      mergeRefusal({ said, status, mergeable: true, mergeableState: "clean" });
    expect(clean("Pull Request is not mergeable", 405)).toBe("transient");
    expect(clean("Try again later.", 409)).toBe("transient");
    expect(clean("Resource not accessible by integration", 403)).toBe("waits");
    expect(clean("At least 1 approving review is required by reviewers with write access.", 405)).toBe("waits");
  });

  it("a merge is tried again only where nothing hinders it", () => {
    expect(["clean", "unstable", "has_hooks", "behind"].filter(mayMergeNow)).toHaveLength(4);
    expect(["blocked", "dirty", "draft", "unknown", "of tomorrow"].filter(mayMergeNow)).toEqual([]);
  });
});
