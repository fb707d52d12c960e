/** Every scenario file runs in both modes, or the list has a valid reason. The list names only existing files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { appOnly, isReason, type Reason } from "./app-only.ts";
import { isAppOnly } from "./modes.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = join(folder, "../..");
const end = ".test.ts";
const files = readdirSync(folder)
  .filter((name) => name.endsWith(end) && name !== `modes${end}`)
  .map((name) => name.slice(0, -end.length));
/** A long title is on a line of its own. */
const textOf = (file: string): string =>
  readFileSync(`${folder}${file}${end}`, "utf8").replaceAll(/\bscenario\(\s+/g, "scenario(");

/** All files that a file imports, directly or through others, without types. */
function reach(from: readonly string[]): Set<string> {
  const found = new Set<string>();
  const left = from.map((path) => join(root, path));
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const text = readFileSync(path, "utf8");
    for (const [, kind = "", named = ""] of text.matchAll(/^(?:import|export) (type )?[^;]*?from "(\.[^"]+\.ts)";/gms))
      if (kind === "") left.push(join(dirname(path), named));
    for (const [, named = ""] of text.matchAll(/\bimport\("(\.[^"]+\.ts)"\)/g)) left.push(join(dirname(path), named));
  }
  return new Set([...found].map((path) => path.slice(root.length + 1)));
}

const ofMode =
  /^src\/(?:app|action|cli)\/|^src\/adapters\/(?:database|git-state|memory)\/|^src\/(?:wire|library|index)[\w-]*\.ts$/;
const jobs = reach(["src/action/main.ts", "src/action/post.ts"]);

/** The problems of a reason. Empty: it holds. */
function problemsOf(reason: Reason): string[] {
  if ("same" in reason) {
    const { same, title } = reason;
    if (!existsSync(join(root, same))) return [`${same} is not there`];
    const scenarios = /^test\/scenarios\/(.*)\.test\.ts$/.exec(same)?.[1];
    if (scenarios !== undefined && isAppOnly(scenarios, title)) return [`${title} runs in the App's mode only`];
    if (scenarios === undefined && !/^(?:test|src)\/action\//.test(same)) return [`${same} runs no job`];
    const named = scenarios === undefined ? title : `scenario("${title}"`;
    return readFileSync(join(root, same), "utf8").includes(named) ? [] : [`${same} has no "${title}"`];
  }
  const named = "decidedBy" in reason ? reason.decidedBy : reason.notInJobs;
  const absent = named.filter((path) => !existsSync(join(root, path)));
  if (named.length === 0 || absent.length > 0) return [`not there: ${absent.join(", ")}`];
  if ("notInJobs" in reason) return named.filter((path) => jobs.has(path)).map((path) => `a job reaches ${path}`);
  return [...reach(named)].filter((path) => ofMode.test(path)).map((path) => `${named.join(", ")} reaches ${path}`);
}

it("the list names files that are there", () => {
  expect(Object.keys(appOnly).filter((file) => !files.includes(file))).toEqual([]);
});

describe.each(files)("%s", (file) => {
  const listed = appOnly[file];
  it("runs in both modes or is listed with its reason", () => {
    if (listed !== undefined && isReason(listed)) return;
    expect(textOf(file)).toContain(`scenariosOf("${file}")`);
    // All of them: a plain `it` would run in one mode unnoticed.
    expect(textOf(file)).not.toMatch(/^\s*it(?:\.each)?\(/m);
  });

  it("has what the list names, and each reason holds", () => {
    if (listed === undefined) return;
    const reasons: [string, Reason][] = isReason(listed) ? [[file, listed]] : Object.entries(listed);
    if (!isReason(listed))
      expect(Object.keys(listed).filter((title) => !textOf(file).includes(`scenario("${title}"`))).toEqual([]);
    expect(reasons.flatMap(([name, reason]) => problemsOf(reason).map((problem) => `${name}: ${problem}`))).toEqual([]);
  });
});

it.each<[string, Reason]>([
  ["a test that is not there", { same: "test/action/nothing.test.ts", title: "x" }],
  ["a title that is not there", { same: "test/action/jobs.test.ts", title: "nobody wrote this" }],
  ["a scenario of one mode", { same: "test/scenarios/run.test.ts", title: "edits nothing: an honest end" }],
  ["a test without a job", { same: "src/core/chain.test.ts", title: "" }],
  ["code of a mode", { decidedBy: ["src/app/door.ts"] }],
  ["code that reaches a mode by others", { decidedBy: ["src/wire.ts"] }],
  ["what jobs have too", { notInJobs: ["src/core/decide.ts"] }],
  ["nothing", { decidedBy: [] }],
])("a reason does not hold by %s", (_, reason) => {
  expect(problemsOf(reason)).not.toEqual([]);
});
