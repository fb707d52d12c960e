/** The release: who may write what, in which order, and which names cannot move. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { unpinned } from "../tools/release/pins.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

interface Job {
  needs?: string | string[];
  environment?: string;
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  steps: { uses?: string; run?: string; with?: Record<string, unknown> }[];
}
const { jobs, permissions } = parse(read(".github/workflows/release.yml")) as {
  jobs: Record<string, Job>;
  permissions: object;
};
const canWrite = Object.entries(jobs).filter(([, job]) => Object.values(job.permissions ?? {}).includes("write"));
/** Everything that a job waits for. */
const before = (name: string): string[] => {
  const own = [jobs[name]?.needs ?? []].flat();
  return [...new Set([...own, ...own.flatMap(before)])].sort();
};

describe("the workflow of the release", () => {
  it("gives no permission to a job that does not ask for it, and one write permission to a job at most", () => {
    expect(permissions).toEqual({});
    for (const [name, job] of Object.entries(jobs)) expect(job.permissions, name).toBeDefined();
    expect(canWrite.map(([name, job]) => [name, job.permissions, job.environment])).toEqual([
      ["package", { "id-token": "write" }, "release"],
      ["image", { packages: "write" }, "release"],
      ["tags", { contents: "write" }, "release"],
    ]);
  });

  it.each(canWrite)("%s runs no code of other people: it gets the built files", (_, { steps, env }) => {
    const runs = steps.map(({ run = "" }) => run).join("\n");
    expect(runs).not.toMatch(
      /\bnpm (?!publish .*--ignore-scripts|view )|\bnpx\b|\bnode\b|docker build|\bnpm publish(?!.*--ignore-scripts)/,
    );
    for (const { uses } of steps)
      if (uses !== undefined) expect(uses).toMatch(/^actions\/(?:checkout|download-artifact|setup-node)@/);
    expect(runs).toContain(
      'echo "$SUMS  all.sums" | sha256sum --check --strict && sha256sum --check --strict all.sums',
    );
    expect(env?.["SUMS"]).toBe("${{ needs.build.outputs.sums }}");
  });

  it.each([
    ["a version that is not there", () => "", 0, /^npm publish/m],
    ["the same content", (ours: string) => ours, 0, /acme\/x@1\.2\.3 is published\./],
    ["other content", () => "sha512-AAAA", 1, /other content/],
  ])("publishes the package again after half a release: npm has %s", (_, published, code, says) => {
    const place = mkdtempSync(join(tmpdir(), "baton-release-"));
    try {
      mkdirSync(join(place, "package"));
      mkdirSync(join(place, "release"));
      mkdirSync(join(place, "bin"));
      writeFileSync(join(place, "package/package.json"), '{"name":"@acme/x","version":"1.2.3"}');
      execFileSync("tar", ["--create", "--gzip", "--file", "release/x.tgz", "package"], { cwd: place });
      const ours = createHash("sha512")
        .update(readFileSync(join(place, "release/x.tgz")))
        .digest("base64");
      const npm = `#!/bin/sh\nif [ "$1" = view ]; then printf '%s' "${published(`sha512-${ours}`)}"; else echo "npm $*"; fi\n`;
      writeFileSync(join(place, "bin/npm"), npm, { mode: 0o755 });
      // The machine may have no jq. The line is the same for Node.
      const jq = `#!${process.execPath}\nconst { name, version } = JSON.parse(require("fs").readFileSync(0, "utf8"));\nconsole.log(name + "@" + version);\n`;
      writeFileSync(join(place, "bin/jq"), jq, { mode: 0o755 });
      const PATH = `${join(place, "bin")}:${process.env["PATH"]}`;
      const text = jobs["package"]?.steps.at(-1)?.run ?? "";
      const done = spawnSync("bash", ["-e", "-o", "pipefail", "-c", text], {
        cwd: place,
        encoding: "utf8",
        env: { PATH },
      });
      expect({ code: done.status, said: done.stdout }, done.stderr).toEqual({
        code,
        said: expect.stringMatching(says),
      });
      expect(done.stdout.includes("npm publish")).toBe(published("x") === "");
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  it("pushes the tags last", () => {
    expect(before("tags")).toEqual(["build", "image", "package", "verify", "version"]);
    for (const [name, { steps }] of Object.entries(jobs))
      if (name !== "tags") expect(steps.map(({ run = "" }) => run).join("\n"), name).not.toContain("git push");
  });

  it("moves a major tag of the Action or the image only with a full release", () => {
    const moves = Object.values(jobs)
      .flatMap(({ steps }) => steps.flatMap(({ run = "" }) => run.split("\n")))
      .filter((line) => line.includes("$MAJOR"));
    expect(moves).toHaveLength(2);
    for (const line of moves) expect(line).toMatch(/^if \[ "\$PRERELEASE" = false \]; then .*fi$/);
    expect(jobs["package"]?.steps.at(-1)?.run).toContain('if [ "$PRERELEASE" = true ]; then tag=next; fi');
  });

  it("commits new files of the bundle: their names follow from their content", () => {
    const commit = jobs["build"]?.steps.find(({ run }) => run?.includes("git commit"))?.run ?? "";
    expect(commit).toContain("git add --all -- action/dist\n");
    expect(commit).not.toMatch(/git commit .*--all/);
  });

  it("refuses names that can move before anything is built", () => {
    expect(jobs["version"]?.steps.map(({ run }) => run)).toContain("node tools/release/pins.ts");
    expect(before("build")).toContain("version");
  });
});

const digest = `sha256:${"a1".repeat(32)}`;
it.each<[string, string, string[]]>([
  ["an image of a stage", `FROM node:24 AS package\nFROM package\n`, ["node:24"]],
  ["an image with a digest", `FROM node:24@${digest} AS package\nFROM node@${digest}\n`, []],
  ["the syntax of a container file", "# syntax=docker/dockerfile:1\n", ["docker/dockerfile:1"]],
  ["a service", "services:\n  database:\n    image: postgres:17\n", ["postgres:17"]],
  ["the latest", "        image: ghcr.io/actions/actions-runner:latest\n", ["ghcr.io/actions/actions-runner:latest"]],
  ["the release's own", "    image: ghcr.io/baton_owner/baton:0.1.0\n", []],
  ["an action by its tag", "      - uses: actions/checkout@v5\n", ["actions/checkout@v5"]],
  [
    "an action by its branch, and one by its commit",
    `- uses: a/b@main\n- uses: a/b/c@${"0f".repeat(20)} # v1\n- uses: ./x\n`,
    ["a/b@main"],
  ],
])("what is not pinned: %s", (_, text, found) => {
  expect(unpinned(text)).toEqual(found);
});

it("every action of the workflows is pinned, and images miss a digest only where this list says so", () => {
  const files = [
    ".github/workflows/ci.yml",
    ".github/workflows/release.yml",
    "deploy/compose.yaml",
    "deploy/helm/runner-scale-set.yaml",
    "deploy/image/Containerfile",
  ];
  expect(Object.fromEntries(files.map((path) => [path, unpinned(read(path))]))).toEqual({
    ".github/workflows/ci.yml": ["postgres:17"],
    ".github/workflows/release.yml": [],
    "deploy/compose.yaml": ["postgres:17"],
    "deploy/helm/runner-scale-set.yaml": ["ghcr.io/actions/actions-runner:latest"],
    "deploy/image/Containerfile": ["docker/dockerfile:1", "node:24-trixie-slim"],
  });
});
