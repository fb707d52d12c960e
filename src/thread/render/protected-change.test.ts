/** A change that people may allow is a change that they can see. */
import { expect, it } from "vitest";
import { protectedChange } from "./protected-change.ts";

const sha = "a".repeat(40);
const at = (oid: string) => ({ path: "run.sh", mode: "100755", blob: oid });
const shown = (diff: string) => {
  const { readable, text } = protectedChange(
    [{ before: at("1".repeat(40)), after: at("2".repeat(40)), diff, truncated: false } as never],
    sha,
  );
  return { readable: [...readable], text: text([]) };
};

it.each([
  ["a NUL byte in a script", "diff --git a/run.sh b/run.sh\nBinary files a/run.sh and b/run.sh differ\n"],
  ["a NUL byte in a new script", "Binary files /dev/null and b/run.sh differ\n"],
])("protected-paths-allowed-unseen: %s hides the change from git, so nobody can allow it", (_, diff) => {
  const { readable, text } = shown(diff);
  expect(readable).toEqual([]);
  expect(text).toContain("Git shows this file as binary");
});

it.each([
  ["\u202e", "\\u{202e}"],
  ["\u200b", "\\u{200b}"],
  ["\u001b", "\\u{1b}"],
  ["\u{e0041}", "\\u{e0041}"],
])("protected-paths-allowed-unseen: what is invisible in a diff is written out", (character, written) => {
  const { readable, text } = shown(`+ok ${character}evil\n`);
  expect(readable).toEqual(["run.sh"]);
  expect(text).toContain(`+ok ${written}evil`);
});

it("a word about binary files in the change itself is shown", () => {
  expect(shown("+Binary files a and b differ\n").readable).toEqual(["run.sh"]);
});
