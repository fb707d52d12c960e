import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultSettings, type Settings, settingsSchema } from "../config/schema.ts";
import { type Actor, type Permission, permissionSchema, type Verdict } from "../core/vocabulary.ts";
import { mayApprove } from "./approval.ts";
import { decide, type PolicyRequest } from "./decide.ts";
import { type CommandFacts, decideCommand } from "./decide-command.ts";
import type { ApproverFacts, BudgetFacts, MergeFacts, PublishFacts } from "./facts.ts";
import { matchesAny, outsideOf } from "./paths.ts";
import { atLeast, permissionFor } from "./permission.ts";
import { allow, ask, deny, judge } from "./rule.ts";
import { policyRules } from "./rules/index.ts";

const alice: Actor = { id: 1, login: "alice", kind: "user", permission: "write" };
const bob: Actor = { id: 2, login: "bob", kind: "user", permission: "maintain" };
const botOf = (actor: Actor): Actor => ({ ...actor, kind: "bot" });
const commands = (change: Partial<Settings["commands"]>): Settings => ({
  ...defaultSettings,
  commands: { ...defaultSettings.commands, ...change },
});
const permissions = permissionSchema.options;

describe("who may give a command", () => {
  const command = (change: Partial<CommandFacts> = {}) =>
    decideCommand({
      command: "run",
      actor: alice,
      ownUserId: 1_000,
      needs: "run",
      headIsFork: false,
      worksOnHead: true,
      settings: defaultSettings,
      ...change,
    });

  it.each([
    ["a writer", {}, "passed"],
    ["a reader", { actor: { ...alice, permission: "read" } }, "failed"],
    ["a stranger", { actor: { ...alice, permission: "none" } }, "failed"],
    ["a reader who only asks", { actor: { ...alice, permission: "read" }, needs: "read" }, "passed"],
    ["a stranger who only asks", { actor: { ...alice, permission: "none" }, needs: "read" }, "failed"],
    [
      "a triager who steers",
      { actor: { ...alice, permission: "triage" }, command: "cancel", needs: "steer" },
      "failed",
    ],
    [
      "a triager who steers where commands.steer says so",
      {
        actor: { ...alice, permission: "triage" },
        command: "cancel",
        needs: "steer",
        settings: commands({ steer: "triage" }),
      },
      "passed",
    ],
    ["a writer where commands.run asks for more", { settings: commands({ run: "admin" }) }, "failed"],
    ["a writer where commands.allow asks for more", { settings: commands({ allow: { run: "maintain" } }) }, "failed"],
    [
      "a reader where commands.allow asks for less",
      { actor: { ...alice, permission: "read" }, settings: commands({ allow: { run: "read" } }) },
      "passed",
    ],
    [
      "a writer where commands.allow asks more of another command",
      { settings: commands({ allow: { budget: "admin" } }) },
      "passed",
    ],
    [
      "a reader who asks where commands.allow asks for more",
      {
        command: "cost",
        actor: { ...alice, permission: "read" },
        needs: "read",
        settings: commands({ allow: { cost: "write" } }),
      },
      "failed",
    ],
    ["a bot", { actor: botOf(alice) }, "failed"],
    ["a listed bot", { actor: botOf(alice), settings: commands({ bots: [1] }) }, "passed"],
    [
      "a bot of a listed one's name: ids decide",
      { actor: { ...botOf(alice), id: 3 }, settings: commands({ bots: [1] }) },
      "failed",
    ],
    [
      "a listed bot without the permission",
      { actor: { ...botOf(alice), permission: "read" }, settings: commands({ bots: [1] }) },
      "failed",
    ],
    ["Baton itself", { ownUserId: 1 }, "failed"],
    ["Baton itself, listed", { ownUserId: 1, actor: botOf(alice), settings: commands({ bots: [1] }) }, "failed"],
    ["a writer on a fork's head", { headIsFork: true }, "failed"],
    ["an admin on a fork's head", { headIsFork: true, actor: { ...alice, permission: "admin" } }, "failed"],
    ["a writer who only asks on a fork's pull request", { headIsFork: true, worksOnHead: false }, "passed"],
  ] as [string, Partial<CommandFacts>, string][])("%s: %s", (_, change, expected) => {
    expect(command(change).status).toBe(expected);
  });

  it.each([
    [
      "the permission",
      { actor: { ...alice, permission: "read" } },
      /needs the permission \*\*write\*\*.*commands\.run.*has \*\*read\*\*.*Somebody with write/,
    ],
    [
      "a single command's permission",
      { command: "budget", settings: commands({ allow: { budget: "admin" } }) },
      /\*\*admin\*\*.*`commands\.allow\.budget`.*Somebody with admin/,
    ],
    [
      "that of reading",
      { command: "why", needs: "read", actor: { ...alice, permission: "none" } },
      /`\/baton why` needs the permission \*\*read\*\* on this repository; @alice/,
    ],
    ["bots", { actor: botOf(alice) }, /`commands\.bots` does not list; people can.*its id 1/],
    [
      "forks",
      { headIsFork: true },
      /never lets an agent change a fork's head.*model keys and a write token.*A maintainer can/,
    ],
  ] as [string, Partial<CommandFacts>, RegExp][])(
    "Z2: a refusal quotes the rule and says who can: %s",
    (_, change, expected) => {
      expect(command(change).reason).toMatch(expected);
    },
  );

  it("every rule is asked, so that `/baton why` can tell all", () => {
    expect(
      command({ actor: { ...alice, permission: "none" }, headIsFork: true }).children.map(({ name, status }) => [
        name,
        status,
      ]),
    ).toEqual([
      ["not-itself", "passed"],
      ["people-only", "passed"],
      ["permission", "failed"],
      ["no-fork-head", "failed"],
    ]);
  });

  it("more permission never allows less", () => {
    const needs = fc.constantFrom("run", "steer", "read") as fc.Arbitrary<CommandFacts["needs"]>;
    const needed = fc.constantFrom("read", "triage", "write", "maintain", "admin") as fc.Arbitrary<
      Settings["commands"]["run"]
    >;
    fc.assert(
      fc.property(
        fc.constantFrom(...permissions),
        fc.constantFrom(...permissions),
        needs,
        needed,
        needed,
        (a, b, kind, run, steer) => {
          const status = (permission: Permission) =>
            command({ actor: { ...alice, permission }, needs: kind, settings: commands({ run, steer }) }).status;
          fc.pre(atLeast(a, b));
          expect(status(b) === "passed" && status(a) !== "passed").toBe(false);
        },
      ),
    );
  });
});

describe("permissions", () => {
  it("are ordered as GitHub orders them, and a word that is none permits nothing", () => {
    for (const [index, has] of permissions.entries())
      for (const [other, needed] of permissions.entries()) expect(atLeast(has, needed)).toBe(index >= other);
    expect(atLeast("owner" as Permission, "none")).toBe(false);
    expect(atLeast("admin", "owner" as Permission)).toBe(false);
  });

  it("a command of a name that objects have is no key", () => {
    expect(permissionFor("constructor", "run", defaultSettings.commands)).toEqual({
      permission: "write",
      key: "commands.run",
    });
  });
});

describe("who may approve", () => {
  const approvals = defaultSettings.approvals;
  const approve = (change: Partial<ApproverFacts>) =>
    mayApprove({ approver: bob, requester: alice, settings: approvals, ...change });
  it.each([
    ["another writer", {}, "passed"],
    ["V1: the requester", { approver: alice }, "failed"],
    ["V3: the requester under another login: ids decide", { approver: { ...alice, login: "bob" } }, "failed"],
    ["V3: another under the requester's login", { approver: { ...bob, login: "alice" } }, "passed"],
    [
      "the requester where self approval is allowed",
      { approver: alice, settings: { ...approvals, self: "allow" } },
      "passed",
    ],
    ["V1: the pull request's author", { pullRequestAuthor: bob }, "failed"],
    [
      "the pull request's author where self approval is allowed",
      { pullRequestAuthor: bob, settings: { ...approvals, self: "allow" } },
      "passed",
    ],
    ["another, where a bot opened the pull request", { pullRequestAuthor: botOf(bob) }, "passed"],
    ["V1: the last pusher", { lastPusher: bob }, "failed"],
    ["another, where a bot pushed", { lastPusher: botOf(bob) }, "passed"],
    ["another, where nobody knows who pushed", { pullRequestAuthor: null, lastPusher: null }, "passed"],
    ["who last changed the rule or the process of a schedule", { authors: [alice, bob] }, "failed"],
    ["another than who changed them", { authors: [alice] }, "passed"],
    ["a reader", { approver: { ...bob, permission: "read" } }, "failed"],
    [
      "a writer where approvals.permission asks for more",
      { approver: { ...bob, permission: "write" }, settings: { ...approvals, permission: "admin" } },
      "failed",
    ],
    [
      "self approval without the permission",
      { approver: { ...alice, permission: "read" }, settings: { ...approvals, self: "allow" } },
      "failed",
    ],
    ["V2: a bot", { approver: botOf(bob) }, "failed"],
    ["somebody not listed", { settings: { ...approvals, people: ["carol"] } }, "failed"],
    ["somebody listed, in another case", { settings: { ...approvals, people: ["BOB"] } }, "passed"],
    ["the requester, listed", { approver: alice, settings: { ...approvals, people: ["alice"] } }, "failed"],
  ] as [string, Partial<ApproverFacts>, string][])("%s: %s", (_, change, expected) => {
    expect(approve(change).status).toBe(expected);
  });

  it.each([
    [
      "they started the run",
      { approver: alice, settings: { ...approvals, self: "allow" } },
      /@alice approved their own run \(they started this run\), which `approvals\.self: allow` permits/,
    ],
    [
      "they wrote the pull request",
      { pullRequestAuthor: bob, settings: { ...approvals, self: "allow" } },
      /they wrote this pull request/,
    ],
    ["they pushed", { lastPusher: bob, settings: { ...approvals, self: "allow" } }, /they pushed the commit/],
    ["nothing of it is theirs", { settings: { ...approvals, self: "allow" } }, /^@bob may approve\.$/],
  ] as [string, Partial<ApproverFacts>, RegExp][])(
    "V1: the reason of an approval says that %s",
    (_, change, expected) => {
      expect(approve(change)).toMatchObject({ status: "passed", reason: expect.stringMatching(expected) });
    },
  );

  it.each([
    ["their own", { approver: alice }, /`approvals\.self: deny`.*Somebody else with write access can/],
    [
      "too little permission",
      { approver: { ...bob, permission: "triage" } },
      /\*\*triage\*\*.*`approvals\.permission`.*Somebody with write access can/,
    ],
    [
      "not listed",
      { settings: { ...approvals, people: ["carol", "dave"] } },
      /not one of @carol, @dave, who can approve \(`approvals\.people`\)/,
    ],
    ["a bot", { approver: botOf(bob) }, /bots do not approve\. A person can/],
  ] as [string, Partial<ApproverFacts>, RegExp][])("Z2: a refusal says why and who can: %s", (_, change, expected) => {
    expect(approve(change).reason).toMatch(expected);
  });

  it("V1, V2: whatever else is set, with self: deny no bot and nobody with a part in the work approves", () => {
    const person = fc.record({
      id: fc.integer({ min: 1, max: 4 }),
      login: fc.constantFrom("a", "b", "c"),
      kind: fc.constantFrom("user", "bot"),
      permission: fc.constantFrom(...permissions),
    }) as fc.Arbitrary<Actor>;
    const settings = fc.record({
      permission: fc.constantFrom("write", "maintain", "admin"),
      people: fc.subarray(["a", "b", "c"]),
      count: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(
        person,
        person,
        fc.option(person),
        fc.option(person),
        settings,
        (approver, requester, pullRequestAuthor, lastPusher, change) => {
          const verdict = mayApprove({
            approver,
            requester,
            pullRequestAuthor,
            lastPusher,
            settings: { ...approvals, ...(change as Partial<Settings["approvals"]>), self: "deny" },
          });
          const theirs = [requester, ...[pullRequestAuthor, lastPusher].filter((one) => one?.kind === "user")].some(
            (one) => one?.id === approver.id,
          );
          expect(verdict.status === "passed" && (theirs || approver.kind === "bot")).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("what may be published", () => {
  const publish = (paths: string[], mode: "ask" | "deny" = "ask") =>
    decide({
      action: "publish",
      facts: {
        paths,
        settings: { ...defaultSettings, breakpoints: { ...defaultSettings.breakpoints, protectedPaths: mode } },
      } satisfies PublishFacts,
    });
  it.each([
    ["ordinary files", ["src/a.ts"], "ask", "passed"],
    ["nothing", [], "deny", "passed"],
    ["CI, where a person is asked", ["src/a.ts", ".github/workflows/ci.yml"], "ask", "pending"],
    ["baton.yaml, where it is refused", ["baton.yaml"], "deny", "failed"],
  ] as const)("%s", (_, paths, mode, expected) => {
    expect(publish([...paths], mode).status).toBe(expected);
  });

  it.each([
    ["src/a.ts", ["src/**"], "failed"],
    [".github/workflows/ci.yml", ["src/**"], "passed"],
    ["baton.yaml", [], "passed"],
  ] as const)(
    "`protectedPaths` says which: others than Baton's own list, or none",
    (path, protectedPaths, expected) => {
      const { breakpoints } = defaultSettings;
      const settings = { ...defaultSettings, protectedPaths: [...protectedPaths] };
      const facts = {
        paths: [path],
        settings: { ...settings, breakpoints: { ...breakpoints, protectedPaths: "deny" } },
      };
      expect(decide({ action: "publish", facts: facts as PublishFacts }).status).toBe(expected);
    },
  );

  it("names the rule, the paths once each, and who can", () => {
    expect(publish(["baton.yaml", "a.ts", "baton.yaml"]).reason).toMatch(
      /changes 1 protected path \(`protectedPaths`\): `baton\.yaml`\. A person who did not start the run can/,
    );
    expect(
      publish(
        Array.from({ length: 12 }, (_, index) => `.github/${index}`),
        "deny",
      ).reason,
    ).toMatch(/12 protected paths.*and 2 more\. Nobody can.*deny/);
  });

  it("a path cannot end the code that shows it", () => {
    expect(publish([".github/a`\n# b"]).reason).toContain("`.github/a??# b`");
  });
});

describe("what may be merged", () => {
  const head = "a".repeat(40);
  const old = "b".repeat(40);
  const merge = (change: Partial<MergeFacts>, mode: "auto" | "manual" = "auto", review: "ask" | "auto" = "ask") =>
    decide({
      action: "merge",
      facts: {
        subjectSha: head,
        headSha: head,
        subjectBase: "main",
        base: "main",
        approvedSha: head,
        gatesPassed: true,
        headIsFork: false,
        settings: { merge: { mode, method: "squash" }, breakpoints: { ...defaultSettings.breakpoints, review } },
        ...change,
      },
    });
  it.each([
    ["an approved, green head", {}, "auto", "ask", "passed"],
    ["merge: manual", {}, "manual", "ask", "failed"],
    ["a fork's head", { headIsFork: true }, "auto", "ask", "failed"],
    ["a head that moved", { headSha: old }, "auto", "ask", "failed"],
    ["red gates", { gatesPassed: false }, "auto", "ask", "failed"],
    ["no approval", { approvedSha: null }, "auto", "ask", "failed"],
    ["an approval of another commit", { approvedSha: old }, "auto", "ask", "failed"],
    ["no approval where none is asked for", { approvedSha: null }, "auto", "auto", "passed"],
    ["red gates where no review is asked for", { approvedSha: null, gatesPassed: false }, "auto", "auto", "failed"],
  ] as [string, Partial<MergeFacts>, "auto" | "manual", "ask" | "auto", string][])(
    "%s: %s",
    (_, change, mode, review, expected) => {
      expect(merge(change, mode, review).status).toBe(expected);
    },
  );
});

describe("what a budget may become", () => {
  it.each([
    ["within budget.maxUsd", { budgetUsd: 5, addUsd: 2 }, "passed", "7.00"],
    ["beyond budget.maxUsd", { budgetUsd: 24, addUsd: 2 }, "failed", "`budget.maxUsd`"],
  ] as const)("%s", (_, facts, expected, said) => {
    const verdict = decide({ action: "budget", facts: { ...facts, settings: defaultSettings } satisfies BudgetFacts });
    expect(verdict).toMatchObject({ status: expected, children: [{ reason: expect.stringContaining(said) }] });
  });
});

describe("the registry", () => {
  it("has one name and one summary a rule", () => {
    const rules = Object.values(policyRules).flat();
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    expect(rules.filter(({ summary }) => !/^[A-Z].*\.$/.test(summary))).toEqual([]);
  });

  it("Z3: a request of an unknown kind is a loud stop, never a pass", () => {
    expect(() => decide({ action: "delete" } as unknown as PolicyRequest)).toThrow(/Unhandled case/);
  });

  it("decides commands and approvals through the same door", () => {
    const commandFacts: CommandFacts = {
      command: "run",
      actor: alice,
      ownUserId: 9,
      needs: "run",
      headIsFork: false,
      worksOnHead: true,
      settings: defaultSettings,
    };
    const approverFacts: ApproverFacts = { approver: bob, requester: alice, settings: defaultSettings.approvals };
    expect(decide({ action: "command", facts: commandFacts })).toEqual(decideCommand(commandFacts));
    expect(decide({ action: "approve", facts: approverFacts })).toEqual(mayApprove(approverFacts));
  });

  it.each([
    ["all hold", [allow("a"), allow("b")], "passed", "all hold"],
    ["one asks", [allow("a"), ask("b"), allow("c")], "pending", "b"],
    ["a denial outweighs a question", [ask("a"), deny("b")], "failed", "b"],
    ["the first denial speaks", [deny("a"), deny("b")], "failed", "a"],
    ["no rule", [], "passed", "all hold"],
  ] as const)("%s", (_, rulings, status, reason) => {
    const rules = rulings.map((ruling, index) => ({ name: `r${index}`, summary: "", judge: () => ruling }));
    const verdict: Verdict = judge({ name: "q", rules, facts: null, allowed: "all hold" });
    expect(verdict).toMatchObject({ status, reason });
    expect(verdict.children).toHaveLength(rulings.length);
  });
});

describe("protected paths", () => {
  it.each([
    [".github/workflows/ci.yml", true],
    [".GitHub/workflows/ci.yml", true],
    [".github/a\nb", true],
    ["baton.yaml", true],
    ["CODEOWNERS", true],
    ["docs/CODEOWNERS", true],
    ["src/AGENTS.md", true],
    ["claude.md", true],
    [".claude/settings.json", true],
    ["packages/a/.claude/settings.json", true],
    [".codex/config.toml", true],
    [".gitattributes", true],
    ["src/index.ts", false],
    ["src/baton.yaml", false],
    ["src/.github-like/x", false],
    ["github/x", false],
  ])("%j: %s", (path, expected) => {
    expect(matchesAny(path, defaultSettings.protectedPaths)).toBe(expected);
  });

  it("no glob protects nothing", () => {
    expect(matchesAny("a", [])).toBe(false);
  });
});

it.each<[string, string[], string[], string[]]>([
  [
    "a folder",
    ["packages/api"],
    ["packages/api", "packages/api/src/a.ts", "Packages/API/b"],
    ["packages/apix/a", "src/a", ".github/x"],
  ],
  ["a folder with a slash", ["packages/api/"], ["packages/api/a"], ["packages/b"]],
  ["two folders", ["packages/api", "docs"], ["packages/api/a", "docs/b/c.md"], ["packages/web/a", "README.md"]],
  ["a glob", ["packages/*/src/**"], ["packages/api/src/a"], ["packages/api/test/a", "src/a"]],
  ["globs of files", ["src/**/*.ts", "docs/**"], ["src/a/b.ts", "docs/x"], ["src/a.js"]],
  ["a glob with a choice", ["{src,lib}/**"], ["src/a", "lib/b"], ["test/a"]],
  ["folders with a choice", ["packages/{api,web}"], ["packages/api/x.ts", "packages/web"], ["packages/db/x.ts"]],
  ["a name with brackets", ["app/[slug]"], ["app/[slug]/page.tsx"], ["app/s/page.tsx"]],
  ["several globs of names", ["*.a", "*b*c", "d*e*f*g"], ["x.a", "bc/x"], ["x.b", "dir/x.a"]],
  ["a folder by a glob", ["packages/*/src"], ["packages/api/src/a"], ["packages/api/a"]],
])("outside of %s is what no path covers", (_, paths, inside, outside) => {
  const globs = ["secret/**", outsideOf(paths)];
  expect(settingsSchema.parse({ protectedPaths: globs }).protectedPaths).toEqual(globs);
  expect(inside.filter((path) => matchesAny(path, globs))).toEqual([]);
  expect(outside.filter((path) => !matchesAny(path, globs))).toEqual([]);
});
