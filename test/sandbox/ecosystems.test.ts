/**
 * A repository of each ecosystem goes through install, test and change inside the sandbox. It uses the real egress proxy
 * with TLS. The registries run on this machine, under their public names.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { children } from "../../src/adapters/child/children.ts";
import { startEgressProxy } from "../../src/adapters/egress/proxy.ts";
import { createSandbox } from "../../src/adapters/sandbox/index.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { type NetworkPreset, networkHosts } from "../../src/config/network-presets.ts";
import type { Confinement, SandboxDenial } from "../../src/ports/sandbox.ts";
import { packageVariables } from "../../src/runner/perform/package-variables.ts";
import type { Files } from "./archives.ts";
import {
  type Content,
  crateIndex,
  goProxy,
  mavenRepository,
  npmRegistry,
  pythonIndex,
  type Registries,
  serveRegistries,
} from "./registries.ts";

interface Ecosystem {
  preset: NetworkPreset;
  programs: readonly string[];
  files: Files;
  install: string;
  test: string;
  /** Changes the farewell to `Goodbye` in the source and in the test. */
  changed: readonly string[];
  /** The request for a host that is not listed. */
  stray: string;
  content(folder: string): Promise<Content>;
}

const go = goProxy();

const ecosystems: Ecosystem[] = [
  {
    preset: "npm",
    programs: ["node", "npm"],
    files: {
      "package.json": JSON.stringify({
        name: "app",
        dependencies: { greeting: "^1.0.0" },
        scripts: { test: "node test.js" },
      }),
      "farewell.js": 'exports.farewell = (name) => require("greeting").greet(name).replace("Hello", "Bye");\n',
      "test.js": 'require("node:assert").equal(require("./farewell.js").farewell("Ann"), "Bye, Ann");\n',
    },
    install: "npm install --no-fund",
    test: "npm test",
    changed: ["farewell.js", "test.js"],
    stray: "npm install --fetch-retries=0 --registry=https://registry.evil.test/ other",
    content: async () => npmRegistry(),
  },
  {
    preset: "pip",
    programs: ["python3"],
    files: {
      "requirements.txt": "greeting==1.0.0\n",
      "farewell.py":
        'import greeting\n\ndef farewell(name):\n    return greeting.greet(name).replace("Hello", "Bye")\n',
      "test_farewell.py":
        'import unittest\nfrom farewell import farewell\n\nclass Test(unittest.TestCase):\n    def test(self):\n        self.assertEqual(farewell("Ann"), "Bye, Ann")\n',
    },
    install: "python3 -m venv .venv && .venv/bin/pip install --disable-pip-version-check -r requirements.txt",
    test: ".venv/bin/python -m unittest",
    changed: ["farewell.py", "test_farewell.py"],
    stray: ".venv/bin/pip install --retries 0 --index-url https://registry.evil.test/simple other",
    content: async () => pythonIndex(),
  },
  {
    preset: "go",
    programs: ["go"],
    files: {
      "go.mod": "module example.test/app\n\ngo 1.19\n\nrequire example.test/greeting v1.0.0\n",
      "go.sum": go.sum,
      "farewell.go":
        'package app\n\nimport (\n\t"strings"\n\n\t"example.test/greeting"\n)\n\nfunc Farewell(name string) string {\n\treturn strings.Replace(greeting.Greet(name), "Hello", "Bye", 1)\n}\n',
      "farewell_test.go":
        'package app\n\nimport "testing"\n\nfunc TestFarewell(t *testing.T) {\n\tif Farewell("Ann") != "Bye, Ann" {\n\t\tt.Fatal(Farewell("Ann"))\n\t}\n}\n',
    },
    install: "go mod download",
    test: "go test ./...",
    changed: ["farewell.go", "farewell_test.go"],
    stray: "GOPROXY=https://registry.evil.test go mod download example.test/other@v1.0.0",
    content: async () => go.content,
  },
  {
    preset: "rust",
    programs: ["cargo", "cc"],
    files: {
      "Cargo.toml":
        '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n\n[lib]\npath = "lib.rs"\n\n[dependencies]\ngreeting = "1"\n',
      "lib.rs":
        'pub fn farewell(name: &str) -> String {\n    greeting::greet(name).replace("Hello", "Bye")\n}\n\n#[test]\nfn test() {\n    assert_eq!(farewell("Ann"), "Bye, Ann");\n}\n',
    },
    install: "cargo fetch",
    test: "cargo test --offline",
    changed: ["lib.rs"],
    stray: "CARGO_NET_RETRY=0 cargo install --index sparse+https://registry.evil.test/ other",
    content: async () => crateIndex(),
  },
  {
    preset: "maven",
    programs: ["mvn", "java", "javac", "keytool"],
    files: {
      "pom.xml": `<project><modelVersion>4.0.0</modelVersion>
<groupId>com.example</groupId><artifactId>app</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>com.example</groupId><artifactId>greeting</artifactId><version>1.0.0</version></dependency></dependencies>
<build><plugins><plugin><groupId>com.example</groupId><artifactId>check-maven-plugin</artifactId><version>1.0.0</version>
<executions><execution><goals><goal>run</goal></goals></execution></executions></plugin></plugins></build>
</project>\n`,
      "src/Farewell.java":
        'import com.example.Greeting;\n\npublic class Farewell {\n  static String farewell(String name) { return Greeting.greet(name).replace("Hello", "Bye"); }\n}\n',
      "src/FarewellTest.java":
        'public class FarewellTest {\n  public static void main(String[] words) {\n    if (!Farewell.farewell("Ann").equals("Bye, Ann")) throw new AssertionError(Farewell.farewell("Ann"));\n  }\n}\n',
    },
    install: "mvn -B -q test",
    test: "mvn -B -q -o test",
    changed: ["src/Farewell.java", "src/FarewellTest.java"],
    stray: "mvn -B -q com.example:other-maven-plugin:1.0:run -Dmaven.repo.remote=x -s stray.xml",
    content: mavenRepository,
  },
];

const has = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => {
    try {
      return execFileSync("test", ["-x", join(folder, program)]).length === 0;
    } catch {
      return false;
    }
  });

const strayMirror = `<settings><mirrors><mirror><id>stray</id><mirrorOf>*</mirrorOf><url>https://registry.evil.test/maven2</url></mirror></mirrors></settings>\n`;

let port = 1;
const sandbox = createSandbox({
  log: silentLog,
  children,
  // Everything is the real proxy except the last step, which leads a public address to this machine.
  startEgress: (options) =>
    startEgressProxy({
      ...options,
      lookup: async () => [{ address: "93.184.215.14", family: 4 }],
      dial: () => connect({ host: "127.0.0.1", port, allowHalfOpen: true }),
    }),
});
const { works, problem } = await sandbox.state();
const needed = works && has("openssl") ? null : (problem ?? "openssl is not installed");

describe.each(ecosystems)("$preset", { timeout: 900_000 }, (ecosystem) => {
  const missing = ecosystem.programs.filter((program) => !has(program));
  const reason = needed ?? (missing.length > 0 ? `not installed: ${missing.join(", ")}` : null);
  const denied: SandboxDenial[] = [];
  let folder = "";
  let registries: Registries | null = null;
  let confinement: Confinement | null = null;

  beforeAll(async () => {
    if (reason !== null) return;
    folder = await realpath(await mkdtemp(join(tmpdir(), "ecosystem-")));
    for (const name of ["tree", "home", "prepared"]) await mkdir(join(folder, name));
    const { hosts } = networkHosts([ecosystem.preset], null);
    const content = await ecosystem.content(join(folder, "prepared"));
    registries = await serveRegistries(join(folder, "prepared"), content, hosts, ecosystem.preset === "maven");
    port = registries.port;
    for (const [name, text] of Object.entries({ ...ecosystem.files, "stray.xml": strayMirror })) {
      await mkdir(dirname(join(folder, "tree", name)), { recursive: true });
      await writeFile(join(folder, "tree", name), text);
    }
    const megabyte = 1024 * 1024;
    confinement = sandbox.confine(
      {
        writable: [join(folder, "tree"), join(folder, "home")],
        readable: [join(folder, "prepared")],
        network: { hosts, loopbackPorts: [] },
        resources: { memoryBytesMax: 4096 * megabyte, processesMax: 512, diskBytesMax: 2048 * megabyte },
      },
      (denial) => denied.push(denial),
    );
  });

  afterAll(async () => {
    await registries?.close();
    if (folder !== "") await rm(folder, { recursive: true, force: true });
  });

  async function inside(script: string): Promise<{ exitCode: number | null; output: string }> {
    const home = join(folder, "home");
    const certificate = registries?.certificatePath ?? "";
    const trust = `-Djavax.net.ssl.trustStore=${registries?.trustStorePath} -Djavax.net.ssl.trustStorePassword=changeit`;
    const variables = packageVariables(home);
    const end = await children.call({
      command: ["/bin/sh", "-c", script],
      cwd: join(folder, "tree"),
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: home,
        ...variables,
        NODE_EXTRA_CA_CERTS: certificate,
        PIP_CERT: certificate,
        SSL_CERT_FILE: certificate,
        CARGO_HTTP_CAINFO: certificate,
        ...(registries?.trustStorePath == null ? {} : { MAVEN_OPTS: `${variables["MAVEN_OPTS"]} ${trust}` }),
      },
      timeoutMs: 300_000,
      outputBytesMax: 4 * 1024 * 1024,
      confinement,
    });
    return { exitCode: end.exitCode, output: `${end.stdout.toString("utf8")}${end.stderr.toString("utf8")}` };
  }

  test.skipIf(reason !== null)(
    `install, test and change${reason === null ? "" : ` (skipped: ${reason})`}`,
    async () => {
      const installed = await inside(ecosystem.install);
      expect(installed, installed.output).toMatchObject({ exitCode: 0 });
      expect(registries?.asked.length).toBeGreaterThan(0);
      const tested = await inside(ecosystem.test);
      expect(tested, tested.output).toMatchObject({ exitCode: 0 });
      const [source, ...others] = ecosystem.changed;
      const broken = await inside(`sed -i 's/"Bye"/"Goodbye"/' ${source} && ${ecosystem.test}`);
      expect(broken.exitCode, broken.output).not.toBe(0);
      const changed = await inside(`sed -i 's/Bye, Ann/Goodbye, Ann/' ${others[0] ?? source} && ${ecosystem.test}`);
      expect(changed, changed.output).toMatchObject({ exitCode: 0 });
      expect(await readFile(join(folder, "tree", source ?? ""), "utf8")).toContain('"Goodbye"');
      expect(denied).toEqual([]);
    },
  );

  test.skipIf(reason !== null)(
    `a registry that is not listed is denied by name${reason === null ? "" : ` (skipped: ${reason})`}`,
    async () => {
      const stray = await inside(ecosystem.stray);
      expect(stray.exitCode, stray.output).not.toBe(0);
      expect(denied).toContainEqual({ kind: "host", name: "registry.evil.test" });
    },
  );
});
