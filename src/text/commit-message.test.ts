import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commitMessage, mergeMessage, titleLine, withTrailers } from "./commit-message.ts";

const clean = (raw: string): string => commitMessage(raw, "Save the work");

/** Words that the tools for commits act on, written again here and not imported from the code under test. */
const effects = {
  mention: /(?:^|[^A-Za-z0-9])[@＠][A-Za-z0-9]/,
  closing: /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[\s:*_~`]*(?:(?:[\w.-]+\/[\w.-]+)?#\d|GH-\d|https?:)/i,
  reference: /(?<!&)#\d|\bGH-\d|https?:\/\/[^\s<>]+\/(?:issues|pull)\/\d/i,
  skip: /\[\s*(?:(?:skip|no)[\s-]*ci|ci[\s-]*skip)\s*\]|\*\*\*NO_CI\*\*\*|skip-checks\s*:/i,
  person: /^\W{0,20}(?:signed[-_ ]?off|co[-_ ]?authored|reviewed|acked|tested)[-_ ]by\s*[:=#：]/im,
  address: /^\W{0,20}\p{L}[\p{L}-]*\s*[:=][^\n]*[<(][^\s@]+@[^\s]+[>)]/imu,
  release: /^release-as\s*:|^(?:BEGIN|END)_COMMIT_OVERRIDE/im,
  baton: /^baton-[\w-]+\s*:/im,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not be there
  // oxlint-disable-next-line no-control-regex
  control: /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]/,
};

function inert(message: string): void {
  for (const [name, pattern] of Object.entries(effects)) expect(message, name).not.toMatch(pattern);
  expect(message.split("\n")[0]?.length).toBeLessThanOrEqual(72);
  expect(message.trim()).toBe(message);
  expect(message).not.toBe("");
}

describe("commits-carry-whatever-the-agent-says: messages", () => {
  it.each([
    ["Fixes #99, closes acme/shop#98 @everyone @bob [skip ci]", ["no. 99", "everyone", "(skip ci)"]],
    ["work\n\nSigned-off-by: bob <bob@example.com>\nReviewed-by: bob <b@x.y>\nBaton-Run: run_other", []],
    ["w\u001b[31m\u202eevil", ["wevil"]],
    ["fix(cart): round up\n\nRESOLVED: GH-7\nClose https://github.com/acme/shop/issues/98", ["GH 7"]],
    ["Fi\u200bxes #\u200b1 and fixed\n#2 and Closes:\n\n#3", []],
    ["resolves **#4**, fixes `acme/shop#5`, closing &#35;6", []],
    [
      "docs\n\n[ci skip] [no ci] [skip actions] [actions skip] ***NO_CI*** [skip travis] [skip-ci]\n\n\nskip-checks: true",
      [],
    ],
    ["x\n\n[SKIP   CI] [skip\nci] [[skip ci]] [pre-commit.ci skip] [vercel skip] --skip-ci", []],
    ["[skip ci]", ["(skip ci)"]],
    [
      "x\n\nSIGNED-OFF-BY : bob <b@x.y>\nsigned_off_by=bob\n> Acked-by: bob\n* Tested by: bob\nCo-authored-by：bob <b@x.y>",
      [],
    ],
    ["x\n\nCo-authored-by: bob\n <3+bob@users.noreply.github.com>\n  more\nkept line", ["kept line"]],
    [
      "x\n\nSigned-off-\u200bby: bob\nSigned-off-by bob <b@x.y>\nCc: bob\nChange-Id: I123\nOn-behalf-of: @org <o@x.y>",
      [],
    ],
    ["done. Signed-off-by: bob <b@x.y>", ["done."]],
    ["ping @acme/admins, (@bob) /@bob &#64;bob &commat;bob", []],
    ["x\r\ny\rz\u0000w\u2028v", ["x\n\ny\nz", "v"]],
    ["SHOP-1 #close #time 3d", ["SHOP-1 close"]],
    [
      "x\n\n# a comment\n; another\n---\ndiff --git a/x b/x\n::stop-commands::x\n##[error]y\n/baton run",
      ["a comment", "  diff"],
    ],
    ["w\n\nReviewed: bob <b@x.y>", []],
    ["w\n\nDCO-1.1-Signed-off-by: bob <b@x.y>\nSigned-off-by-v2: bob <b@x.y>", []],
    ["w\n\nSigned-Off-By; bob <b@x.y>\nAcked-by -> bob\nReviewed by | bob", []],
    ["w\n\nSign-off: bob <b@x.y>\nSigned off: bob@x.y", []],
    ["w\n\nApprover: bob <b@x.y>\nApprovers: bob (b@x.y)", []],
    ["w\n\nContributor: bob <b@x.y>\nkept line", ["kept line"]],
    ["w\n\nPair: bob <b@x.y>\nPair-With: ann <a@x.y>", []],
    ["w\n\nBlame: bob <b@x.y>\n> Owner = bob <b@x.y>\nКто: bob <b@x.y>", []],
    ["w\n\nRelease-As: 9.9.9\nrelease-as: 1.0.0", []],
    ["w\n\nBEGIN_COMMIT_OVERRIDE\nfeat!: all is new\nEND_COMMIT_OVERRIDE", ["feat!: all is new"]],
  ])("%j is inert", (raw, kept) => {
    const message = clean(raw);
    inert(message);
    for (const text of kept) expect(message).toContain(text);
    expect(message).not.toMatch(/bob@example|b@x\.y|noreply/);
    expect(message).not.toMatch(/^(?:#|::|\/baton|---$|diff )/m);
  });

  it.each([
    ["feat(cart)!: round totals half up\n\nThe sum of 3 items was wrong: 0.1 + 0.2.\n\n- one\n- two"],
    [
      "Add `by` to the query\n\nSorted by: name, then price. Mail a@example.com.\n\n    indented code\n\nBREAKING CHANGE: totals round",
    ],
    ["日本語の件名\n\n👩‍💻 works [here](x) and [1]"],
  ])("%j stays as it is", (raw) => {
    expect(clean(raw)).toBe(raw);
  });

  it.each([
    [""],
    [" \n\t\n"],
    ["\u200b\u0000"],
    ["Signed-off-by: bob <b@x.y>"],
    ["# only a comment\u0000".slice(0, 1)],
  ])("%j leaves the subject of the step", (raw) => {
    expect(clean(raw)).toBe("Save the work");
  });

  it("bounds the subject at 72 characters and the body at 8 KB, and loses no word of the subject", () => {
    const subject = "word ".repeat(40).trim();
    const message = clean(`${subject}\n\n${"line of text\n".repeat(10_000)}`);
    inert(message);
    expect(Buffer.byteLength(message)).toBeLessThan(9_000);
    expect(message.split("\n\n").slice(0, 2).join(" ").match(/word/g)).toHaveLength(40);
    expect(Buffer.byteLength(clean(`x\n\n${"é".repeat(100_000)}`))).toBeLessThan(9_000);
  });

  it("is inert and a fixpoint for random pieces, and Baton's own trailers come off and on unchanged", () => {
    const piece = fc.constantFrom(
      ..."Fixes |closes|#1|GH-|acme/shop|@|bob|[|]|skip| |ci|no|\n|:|Signed-off|-by|Co-authored-by: |Baton-|Run|x|https://|github.com/a/b/issues/1|\u200b|\u202e|\u001b[0m|\r|***|NO_CI|--|---|##|::|&#64;|&#35;|9|<b@x.y>|skip-checks|Reviewed |by".split(
        "|",
      ),
    );
    const trailers = ["Baton-Run: run_1", "Co-authored-by: ann <1+ann@users.noreply.github.com>"];
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (parts) => {
        const message = clean(parts.join(""));
        inert(message);
        expect(clean(message)).toBe(message);
        expect(clean(withTrailers(message, trailers))).toBe(message);
      }),
      { numRuns: 3_000, seed: 9 },
    );
  });

  it("reads a hostile message in time that grows with its length", () => {
    for (const text of ["@a ", "[skip ", "Signed-off-by: x\n", "#1", "a-", "https://", "AB-1 "]) {
      inert(clean(`x ${text.repeat(20_000)}`));
    }
  });
});

describe("commits-carry-whatever-the-agent-says: what a stranger's title becomes on the base", () => {
  const trailers = ["Baton-Run: run_1"];
  const titles = [
    "fix: sum [skip ci]",
    "Fixes #99, closes acme/shop#98 @everyone",
    "docs ***NO_CI***\n\nskip-checks: true",
    "Signed-off-by: bob <b@x.y>",
    "w\u200b\u202eevil [ci\u200b skip]",
    "x".repeat(300),
    "",
  ];

  it.each(titles)("%j is an inert title, and the commit of a squash or a merge is inert", (title) => {
    inert(titleLine(title, "Change"));
    for (const method of ["squash", "merge"] as const) {
      const commit = mergeMessage({ number: 4, title }, method, trailers);
      // The number is a fact, as GitHub itself writes it.
      expect(commit.title).toMatch(method === "squash" ? / \(#4\)$/ : /^Merge pull request #4$/);
      if (method === "squash") inert(commit.title.replace(/ \(#4\)$/, ""));
      expect(commit.message).toMatch(/(?:^|\n\n)Baton-Run: run_1$/);
      const rest = commit.message.replace(/\n*Baton-Run: run_1$/, "");
      if (rest !== "") inert(`x\n\n${rest}`);
    }
  });

  it("an ordinary title stays as it is", () => {
    expect(titleLine("feat(cart)!: round totals half up", "Change")).toBe("feat(cart)!: round totals half up");
    expect(mergeMessage({ number: 4, title: "Round half up" }, "squash", trailers)).toEqual({
      title: "Round half up (#4)",
      message: "Baton-Run: run_1",
    });
  });
});
