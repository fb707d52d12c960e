import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseTemplate } from "../../packages/local-github/demo/world.ts";
import { openDatabase } from "../adapters/database/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { BatonError, type ErrorCode, errorCodes } from "../core/errors.ts";
import { commands } from "./commands/index.ts";
import { exitCodeOf, exitCodes } from "./exit.ts";
import { buildProgram, runCli } from "./program.ts";
import { table } from "./text.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-cli-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, text: string): void => writeFileSync(join(directory, name), text);

async function baton(words: string, environment: Record<string, string> = {}) {
  let [out, err] = ["", ""];
  const code = await runCli(words.split(" "), {
    environment,
    directory,
    print: (text) => (out += `${text}\n`),
    note: (text) => (err += `${text}\n`),
  });
  return { code, out, err };
}

it.each([
  ["start --detach", /BATON_SETTINGS_INVALID.*APP_ID is not set/s],
  ["database restore nope.tgz", /BATON_INPUT_INVALID.*nope\.tgz cannot be read/s],
])("`baton %s` says what is missing, and leaves nothing behind", async (words, message) => {
  const { code, err } = await baton(words, { BATON_DATA: join(directory, "data") });
  expect(code).toBe(exitCodes.usage);
  expect(err).toMatch(message);
  expect(existsSync(join(directory, "data"))).toBe(false);
});

describe("every command", () => {
  const program = buildProgram({ environment: {}, directory: "", print() {}, note() {}, exit() {} });
  const all = program.commands.flatMap((command) => (command.commands.length === 0 ? [command] : command.commands));

  it("is in the help, says what it does, and what each option means", () => {
    expect(all).toHaveLength(commands.length);
    for (const command of [...program.commands, ...all]) expect(command.description()).toMatch(/[.]$/);
    for (const option of all.flatMap(({ options }) => options)) expect(option.description).toMatch(/[.]$/);
  });

  it("--help lists the exit codes", async () => {
    const { code, out } = await baton("--help");
    expect(code).toBe(0);
    expect(out).toMatch(/ {2}4 {2}not now/);
  });

  it.each(["frobnicate", "run", "run lst", "run list --limit many", "config check a b c", "run show"])(
    "`baton %s` is not written as it should be",
    async (words) => {
      const { code, out, err } = await baton(words);
      expect({ code, out }).toEqual({ code: exitCodes.usage, out: "" });
      expect(err).not.toBe("");
    },
  );

  it.each([
    ["stauts", /Did you mean (?:one of .*)?status/],
    ["run lst", /Did you mean list\?/],
    ["run list --stauts failed", /Did you mean --status\?/],
    ["run list --status faild", /Did you mean `failed`\?/],
    ["init --harnes codex", /Did you mean --harness\?/],
    ["demo --stroy job", /Did you mean --story\?/],
  ])("`baton %s` gets a suggestion", async (words, suggestion) => {
    const { code, err } = await baton(words);
    expect(code).toBe(exitCodes.usage);
    expect(err).toMatch(suggestion);
  });
});

describe("exit codes", () => {
  it.each<[ErrorCode, number]>([
    ["BATON_DATABASE_LOCKED", 4],
    ["BATON_GITHUB_UNAVAILABLE", 4],
    ["BATON_NO_RUN", 3],
    ["BATON_GITHUB_DENIED", 5],
    ["BATON_SETTINGS_INVALID", 2],
    ["BATON_INPUT_INVALID", 2],
    ["BATON_JOURNAL_BROKEN", 1],
  ])("%s is %i", (errorCode, code) => {
    expect(exitCodeOf(new BatonError(errorCode, ""))).toBe(code);
  });

  it("no error is told as success", () => {
    for (const errorCode of errorCodes) expect(exitCodeOf(new BatonError(errorCode, ""))).not.toBe(exitCodes.done);
  });
});

describe("process check", () => {
  const folder = ".github/baton/processes";
  const good = "summary: S\nsteps: [{ id: a, shell: [x] }]\n";

  it("tells problems of each file with line and column, also beside the others", async () => {
    mkdirSync(join(directory, folder), { recursive: true });
    file(`${folder}/good.yaml`, good);
    file(`${folder}/plan.yaml`, good);
    file(`${folder}/wrong.yaml`, "summary: S\nsteps:\n  - { id: a, uses: goood }\n");
    const { code, out } = await baton("process check");
    expect(code).toBe(exitCodes.no);
    expect(out).toContain(`${folder}/good.yaml is right.`);
    expect(out).toMatch(/plan\.yaml:1:1: error: `plan` is a process of Baton's own/);
    expect(out).toMatch(/wrong\.yaml:3:20: error: There is no process `goood`.*Did you mean `good`\?/);
    expect(await baton(`process check ${folder}/good.yaml`)).toMatchObject({ code: 0 });
  });

  it("--json is one value; a file that is not there or not read is said so", async () => {
    file("one.yaml", good);
    const { code, out } = await baton("process check one.yaml --json");
    expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: [{ path: "one.yaml", ok: true, problems: [] }] });
    file("one.yml", good);
    for (const words of ["process check none.yaml", "process check one.yml"])
      expect((await baton(words)).err).toContain("BATON_INPUT_INVALID");
    expect((await baton("process check")).out).toContain("There are no processes");
  });
});

describe("process new", () => {
  it("writes a file that is right as it is, and never over another", async () => {
    const path = ".github/baton/processes/tidy-up.yaml";
    expect(await baton("process new tidy-up")).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Wrote ${path}.`),
    });
    expect((await baton("process check")).out).toContain(`${path} is right.`);
    file(path, "mine");
    expect(await baton("process new tidy-up")).toMatchObject({ err: expect.stringContaining(`${path} exists.`) });
    expect(readFileSync(join(directory, path), "utf8")).toBe("mine");
  });

  it.each([
    ["issue-to-pr", /a process of Baton's own/],
    ["Tidy_Up", /lower-case letters/],
    ["../tidy", /lower-case letters/],
  ])("refuses the name %s, and writes nothing", async (name, why) => {
    const { code, err } = await baton(`process new ${name}`);
    expect(code).not.toBe(0);
    expect(err).toMatch(why);
    expect(existsSync(join(directory, ".github"))).toBe(false);
  });
});

describe("process list", () => {
  it("lists what can be run here, and what cannot with what to do", async () => {
    mkdirSync(join(directory, ".github/baton/processes"), { recursive: true });
    file(".github/baton/processes/good.yaml", "summary: Looks\non: [issue]\nsteps: [{ id: a, shell: [x] }]\n");
    file(".github/baton/processes/wrong.yaml", "summary: S\n");
    file(".github/baton/processes/other.yml", "summary: S\n");
    const { code, out } = await baton("process list");
    expect(code).toBe(0);
    expect(out).toMatch(/^issue-to-pr +issue +Baton +Plans and implements/m);
    expect(out).toMatch(/^good +issue +\.github\/baton\/processes\/good\.yaml +Looks$/m);
    expect(out).toMatch(/^wrong .*Cannot run: `baton process check` says why\.$/m);
    expect(JSON.parse((await baton("process list --json")).out)).toContainEqual(
      expect.objectContaining({ name: "wrong", ok: false }),
    );
    expect((await baton("process check")).out).toContain(
      "other.yml is not read: Baton reads files that are named .yaml",
    );
  });
});

describe("config check", () => {
  it("tells problems with their lines, as compilers do", async () => {
    file("baton.yaml", "version: 1\nbudget:\n  runUSD: 3\n");
    const { code, out } = await baton("config check");
    expect(code).toBe(exitCodes.no);
    expect(out).toContain('baton.yaml:3:3: error: "runUSD" is not a key here.');
    expect(out).toContain("Did you mean `runUsd`?");
    expect(out).toContain("is not right: 1 error.");
  });

  it.each<[string, string, RegExp]>([
    ["the defaults", "config check", /budget\.runUsd goes from 5 to 9, which allows more/],
    ["another file", "config check --base old.yaml", /budget\.runUsd goes from 7 to 9/],
    ["itself", "config check --base baton.yaml", /changes nothing in effect/],
  ])("shows the effective difference to %s", async (_, words, told) => {
    file("baton.yaml", "budget: { runUsd: 9 }\n");
    file("old.yaml", "budget: { runUsd: 7 }\n");
    expect(await baton(words)).toMatchObject({ code: 0, out: expect.stringMatching(told) });
  });

  it("--json is one value, also when the file is wrong or missing", async () => {
    file("baton.yaml", "budget: { runUsd: 9, mxUsd: 3 }\n");
    const wrong = await baton("config check --json");
    expect({ ...wrong, out: JSON.parse(wrong.out) }).toMatchObject({
      code: exitCodes.no,
      out: { ok: false, problems: [{ line: 1, path: "budget.mxUsd", suggestion: "maxUsd" }], changes: [] },
      err: "",
    });
    const missing = await baton("config check other.yaml --json");
    expect({ ...missing, out: JSON.parse(missing.out) }).toMatchObject({
      code: exitCodes.usage,
      out: { error: { code: "BATON_INPUT_INVALID", message: expect.stringContaining('"other.yaml" cannot be read') } },
    });
  });

  it("warnings hinder nothing; a base with problems does", async () => {
    file("baton.yaml", "harness: { default: comand }\n");
    expect(await baton("config check")).toMatchObject({ code: 0, out: expect.stringContaining("1:") });
    file("old.yaml", "x: 1\n");
    expect(await baton("config check --base old.yaml")).toMatchObject({ code: exitCodes.usage });
  });

  it("the schema is JSON Schema", async () => {
    expect(JSON.parse((await baton("config schema")).out)).toMatchObject({
      type: "object",
      properties: { version: {} },
    });
  });
});

describe("harnesses", () => {
  const program = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path;
  };
  const none = Object.fromEntries(
    ["CLAUDE", "CODEX", "COPILOT", "OPENCODE", "PI"].map((name) => [`BATON_${name}_BINARY`, "/nowhere/none"]),
  );

  it("list says what each can do, without starting any", async () => {
    const harnesses = JSON.parse((await baton("harness list --json", none)).out) as { name: string }[];
    expect(harnesses.map(({ name }) => name)).toContain("codex");
    expect((await baton("harness list", none)).out).toMatch(/claude-code .*resume/);
  });

  it("doctor tells what came of the last attempts, where Baton's data are", async () => {
    const data = join(directory, "data");
    cpSync(process.env[databaseTemplate] ?? "", data, { recursive: true });
    const { store, queue, close } = await openDatabase({ databaseUrl: null, dataDir: data, log: silentLog });
    const outcomes = [1, 2, 3].map((at) => ({ at, ok: at === 1 }));
    await store.setValue(`routing/circuit/codex`, { outcomes, openUntil: 4_102_444_800_000, openings: 1 });
    await queue.stop(1_000);
    await close();
    const { out } = await baton("harness doctor --json", { ...none, BATON_DATA: data });
    const health = new Map(
      (JSON.parse(out) as { name: string; health: string }[]).map((one) => [one.name, one.health]),
    );
    expect(health.get("codex")).toBe("2 of its last 3 attempts failed; left out until 2100-01-01T00:00:00.000Z");
    expect(health.get("claude-code")).toBe("no failure noted");
    const elsewhere = JSON.parse((await baton("harness doctor --json", none)).out) as { health: null }[];
    expect(elsewhere.every((one) => one.health === null)).toBe(true);
  });

  it("doctor tells a program that is there and does not work from one that is not there, and lets it see no key", async () => {
    const environment = {
      ...none,
      BATON_CLAUDE_BINARY: program("claude", 'echo "cannot find module x" >&2; exit 7'),
      BATON_COPILOT_BINARY: program("copilot", "echo GitHub Copilot CLI 1.0.102.; echo Update it."),
      BATON_PI_BINARY: program("pi", "env; echo 1.2.3"),
      BATON_HARNESS_COMMAND: '["/nowhere/none"]',
      BATON_ACP_AGENTS: '{"mine":["env","A=b","/nowhere/agent","--acp"]}',
      ANTHROPIC_API_KEY: "sk-never-shown",
      GITHUB_TOKEN: "ghp-never-shown",
    };
    const { out } = await baton("harness doctor", environment);
    expect(out).toMatch(/claude-code +broken +set .*exit code 7: cannot find module x\. To install it again: `npm/);
    expect(out).toMatch(/copilot +1\.0\.102 +set/);
    expect(out).toMatch(/command +no .*`\/nowhere\/none` of BATON_HARNESS_COMMAND/);
    expect(out).toMatch(/mine +broken .*`env A=b \/nowhere\/agent --version` ended with exit code 127/);
    expect(out).not.toContain("never-shown");
    const found = JSON.parse((await baton("harness doctor --json", environment)).out) as { name: string }[];
    expect(found.find(({ name }) => name === "claude-code")).toMatchObject({ ready: false, broken: true });
    // A single broken harness does not count as a ready one.
    expect((await baton("harness doctor claude-code", environment)).code).toBe(exitCodes.no);
  });

  it("doctor tells version and key by presence, never the key, and ends well when one is ready", async () => {
    const environment = {
      ...none,
      BATON_CLAUDE_BINARY: program("claude", "echo 2.9.9"),
      ANTHROPIC_API_KEY: "sk-never-shown",
    };
    const { code, out } = await baton("harness doctor", environment);
    expect(code).toBe(0);
    expect(out).toMatch(/claude-code +2\.9\.9 +set/);
    expect(out).toMatch(/codex +no +missing +unknown +`npm install/);
    expect(out).not.toContain("never-shown");
    expect((await baton("harness doctor", none)).code).toBe(exitCodes.no);
    expect(await baton("harness doctor cluade", none)).toMatchObject({ code: exitCodes.absent });
  });
});

it("data that is not there is not made by looking", async () => {
  const { code, err } = await baton("run list", { BATON_DATA: join(directory, "data") });
  expect({ code, err }).toMatchObject({
    code: exitCodes.usage,
    err: expect.stringContaining("There is no data of Baton"),
  });
});

it("a wrong setting is told by its name", async () => {
  expect(await baton("run list", { LOG_LEVEL: "loud" })).toMatchObject({
    code: exitCodes.usage,
    err: expect.stringContaining("LOG_LEVEL"),
  });
});

it("columns are as wide as they need", () => {
  expect(
    table([
      ["A", "B", "C"],
      ["long", "x", ""],
    ]),
  ).toBe("A     B  C\nlong  x");
});

it("--version is the package's own", async () => {
  expect(await baton("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: "" });
});

it("the program starts from its bin, and ends with the code", async () => {
  const bin = fileURLToPath(new URL("../../bin/baton.js", import.meta.url));
  const { exitCode, stderr } = await execa(process.execPath, [bin, "config", "check", "none.yaml"], {
    cwd: directory,
    reject: false,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining("BATON_INPUT_INVALID") });
});

describe("baton sweep detect", () => {
  const sarif = JSON.stringify({
    version: "2.1.0",
    runs: [
      {
        results: [
          {
            ruleId: "no-eval",
            level: "error",
            message: { text: "eval is evil" },
            locations: [{ physicalLocation: { artifactLocation: { uri: "src/a.js" }, region: { startLine: 3 } } }],
          },
          { ruleId: "no-eval", message: { text: "nowhere" } },
        ],
      },
    ],
  });

  it("prints the findings of a report, as text and as JSON", async () => {
    file("lint.sarif", sarif);
    const text = await baton("sweep detect --sarif lint.sarif");
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/error {5}no-eval {2}src\/a\.js:3 {2}[0-9a-f]{16} {2}eval is evil/);
    expect(text.err).toContain("1 finding names no location.");
    const { findings } = JSON.parse((await baton("sweep detect --sarif lint.sarif --json")).out) as {
      findings: object[];
    };
    expect(findings).toMatchObject([{ path: null }, { path: "src/a.js", line: 3, severity: "error" }]);
  });

  it.each([
    ["sweep detect", /--sarif <file>/],
    ["sweep detect --sarif missing.sarif", /"missing.sarif" cannot be read/],
    ["sweep detect --detector sariff --report lint.sarif", /Did you mean "sarif"/],
    ["sweep detect --sarif lint.sarif --detector stale", /--sarif <file>/],
    ["sweep detect --detector coverage --report lint.sarif", /BATON_REPORT_INVALID.*no `SF:` line/],
  ])("`baton %s` says what is wrong", async (words, said) => {
    file("lint.sarif", sarif);
    const { code, out, err } = await baton(words);
    expect(code).not.toBe(0);
    expect(out).toBe("");
    expect(err).toMatch(said);
  });
});
