/** One place names Baton's home. The manifest repeats it, and no other file has another address of Baton. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { product } from "../src/core/product.ts";
import { notesOf, prepared, versionedFiles } from "../tools/release/prepare.ts";
import { stamped } from "../tools/release/stamp.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const binary = /\.(?:png|ico|gz|zip)$/;
const texts = new Map(
  execFileSync("git", ["ls-files", "-z", "--", ":!action/dist", ":!test/fixtures", ":!test/journals"], {
    cwd: root,
    encoding: "utf8",
  })
    .split("\0")
    .filter((path) => path !== "" && !binary.test(path))
    .map((path) => [path, readFileSync(join(root, path), "utf8")]),
);

/** Every address of Baton in a text: repository, Action, package, image, App. */
function addresses(text: string): string[] {
  const shapes = [
    /(?:github\.com|githubusercontent\.com|ghcr\.io)[/:]([\w.-]+\/baton)\b(?![\w-])/g,
    /uses: ["']?([\w.-]+\/baton)\/action@/g,
    /["'`@ /]@([\w.-]+\/baton)["'`@/ ]/g,
    /\b(baton\/baton)\b/g,
  ];
  return shapes.flatMap((shape) => [...text.matchAll(shape)].map(([, found = ""]) => found));
}

describe("addresses of Baton", () => {
  it("finds each shape of them", () => {
    const text = [
      "https://github.com/acme/baton/issues https://raw.githubusercontent.com/acme/baton/v1/x ghcr.io/acme/baton:1",
      'uses: acme/baton/action@v1 "@acme/baton" npm i @acme/baton git@github.com:acme/baton.git',
    ].join("\n");
    expect(addresses(text).filter((one) => one === "acme/baton")).toHaveLength(7);
    expect(addresses("https://github.com/apps/baton")).toEqual(["apps/baton"]);
    expect(addresses("baton/main, refs/baton/thread, acme/baton-web, @actions/core")).toEqual([]);
  });

  // Tests of other repositories' workflows name another Action on purpose.
  const others = new Set(["test/product.test.ts", "src/begin/any-check.test.ts"]);
  it.each([...texts].filter(([path, text]) => !others.has(path) && addresses(text).length > 0))(
    "%s holds this Baton's only",
    (_, text) => {
      expect(addresses(text).filter((one) => one.toLowerCase() !== product.repository.toLowerCase())).toEqual([]);
      for (const [, action] of text.matchAll(/uses: ([\w.-]+\/baton\/action@[\w.]+)/g))
        expect(action).toBe(product.action);
    },
  );

  it("the manifest and the lock file say the same", () => {
    const manifest = JSON.parse(texts.get("package.json") as string) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      name: product.packageName,
      version: product.version,
      repository: { url: `git+https://github.com/${product.repository}.git` },
    });
    const lock = JSON.parse(texts.get("package-lock.json") as string) as Record<string, unknown>;
    expect(lock).toMatchObject({ name: product.packageName, version: product.version });
  });

  it.each(["acme/robot", "Acme-Inc/Baton"])("a release of %s leaves no placeholder in any file", (repository) => {
    for (const [path, text] of texts) {
      const after = stamped(path, text, repository);
      if (!product.isPlaceholder || others.has(path)) continue;
      expect(after, path).not.toContain(product.repository);
      expect(after, path).not.toContain("@baton_owner/");
      if (path.endsWith(".md")) expect(after, path).not.toMatch(/baton_owner|until released/);
    }
    const manifest = JSON.parse(stamped("package.json", texts.get("package.json") as string, repository)) as object;
    expect(manifest).toMatchObject({
      name: `@${repository.toLowerCase()}`,
      repository: { url: `git+https://github.com/${repository}.git` },
    });
    expect(manifest).not.toHaveProperty("private");
    const other = stamped(
      "packages/local-github/package.json",
      texts.get("packages/local-github/package.json") as string,
      repository,
    );
    expect(JSON.parse(other)).toMatchObject({ name: `@${repository.split("/")[0]?.toLowerCase()}/local-github` });
    expect(JSON.parse(other)).not.toHaveProperty("private");
    expect(stamped("action/workflow.yml", texts.get("action/workflow.yml") as string, repository)).toContain(
      `uses: ${repository}/action@v0`,
    );
  });

  it("a stamped Baton knows its own name", () => {
    const text = stamped("src/core/product.ts", texts.get("src/core/product.ts") as string, "acme/robot");
    expect(text).toContain('const repository = "acme/robot";');
  });
});

describe("a new version", () => {
  const next = { version: "9.8.7", day: "2027-01-02" };

  it.each(versionedFiles)("is written into %s, and the old one is gone", (path) => {
    const after = prepared(path, texts.get(path) as string, next);
    expect(after).toContain("9.8.7");
    const own = path.startsWith("package") ? after.slice(0, 400) : after;
    expect(own).not.toContain(product.version);
  });

  it("moves the Action's tag with its first number", () => {
    for (const path of ["action/workflow.yml", "action/runner.yml", "docs/guides/actions-mode.md"])
      expect(prepared(path, texts.get(path) as string, next)).toContain(`${product.repository}/action@v9`);
  });

  it("names itself where it is a prerelease, because the moving tag is not its own", () => {
    const text = texts.get("action/workflow.yml") as string;
    expect(prepared("action/workflow.yml", text, { ...next, version: "9.0.0-rc.1" })).toContain("/action@v9.0.0-rc.1");
  });

  it("heads what was unreleased, which is what the release says", () => {
    const changelog = "# Changelog\n\n## Unreleased\n\n- One.\n\n## 0.0.1 (2020-01-01)\n\n- Zero.\n";
    const after = prepared("CHANGELOG.md", changelog, next);
    expect(after).toContain("## Unreleased\n\n## 9.8.7 (2027-01-02)\n\n- One.");
    expect(notesOf(after, "9.8.7")).toBe("- One.");
    expect(notesOf(after, "0.0.1")).toBe("- Zero.");
    expect(notesOf(after, "9.8")).toBeNull();
    expect(notesOf(texts.get("CHANGELOG.md") as string, "Unreleased")).not.toBeNull();
  });
});

describe("package-lock.json", () => {
  type Locked = Record<string, { optionalDependencies?: Record<string, string> }>;
  const { packages } = JSON.parse(texts.get("package-lock.json") as string) as { packages: Locked };

  /** Resolves as Node does from a folder of packages. */
  const isLocked = (from: string, name: string): boolean => {
    if (`${from === "" ? "" : `${from}/`}node_modules/${name}` in packages) return true;
    if (from === "") return false;
    const cut = from.lastIndexOf("/node_modules/");
    return isLocked(cut < 0 ? "" : from.slice(0, cut), name);
  };

  it("lists the packages of every platform", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !isLocked(path, name))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
    for (const platform of ["darwin-arm64", "linux-arm64", "linux-x64", "win32-x64"])
      expect(Object.keys(packages)).toContain(`node_modules/@esbuild/${platform}`);
  });

  it("names no registry", () => {
    // The workspace is a link to a folder.
    expect(texts.get("package-lock.json")).not.toMatch(/"resolved": "(?!packages\/)/);
  });
});
