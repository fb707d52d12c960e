/**
 * One package in five registries, under the public names of those registries, with one HTTPS server for all. The tools need
 * no configuration: they ask their usual addresses.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Files, tarGzip, zip } from "./archives.ts";

const run = promisify(execFile);

/** By host and path. */
export type Content = Record<string, string | Buffer>;

const sha256 = (data: string | Buffer): Buffer => createHash("sha256").update(data).digest();

export function npmRegistry(): Content {
  const archive = tarGzip({
    "package/package.json": JSON.stringify({ name: "greeting", version: "1.0.0", main: "index.js" }),
    "package/index.js": 'exports.greet = (name) => "Hello, " + name;\n',
  });
  const tarball = "registry.npmjs.org/greeting/-/greeting-1.0.0.tgz";
  const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
  const version = { name: "greeting", version: "1.0.0", dist: { tarball: `https://${tarball}`, integrity } };
  return {
    "registry.npmjs.org/greeting": JSON.stringify({
      name: "greeting",
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": version },
    }),
    [tarball]: archive,
  };
}

/** https://packaging.python.org/en/latest/specifications/simple-repository-api/ and binary-distribution-format */
export function pythonIndex(): Content {
  const info = "greeting-1.0.0.dist-info";
  const files: Files = {
    "greeting/__init__.py": 'def greet(name):\n    return "Hello, " + name\n',
    [`${info}/METADATA`]: "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0.0\n",
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
  };
  const record = Object.keys(files).map((name) => `${name},,\n`);
  const wheel = zip({ ...files, [`${info}/RECORD`]: `${record.join("")}${info}/RECORD,,\n` });
  const place = "files.pythonhosted.org/packages/greeting-1.0.0-py3-none-any.whl";
  const link = `<a href="https://${place}#sha256=${sha256(wheel).toString("hex")}">greeting-1.0.0-py3-none-any.whl</a>`;
  return { "pypi.org/simple/greeting/": `<!DOCTYPE html><html><body>${link}</body></html>`, [place]: wheel };
}

const goModule = "module example.test/greeting\n\ngo 1.19\n";

/** https://go.dev/ref/mod#goproxy-protocol. The second value is `go.sum`, with which Go asks no checksum database. */
export function goProxy(): { content: Content; sum: string } {
  const inside = "example.test/greeting@v1.0.0/";
  const files: Files = {
    [`${inside}go.mod`]: goModule,
    [`${inside}greeting.go`]: 'package greeting\n\nfunc Greet(name string) string {\n\treturn "Hello, " + name\n}\n',
  };
  // https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1
  const hash = (entries: Files): string =>
    `h1:${sha256(
      Object.entries(entries)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, data]) => `${sha256(data).toString("hex")}  ${name}\n`)
        .join(""),
    ).toString("base64")}`;
  const base = "proxy.golang.org/example.test/greeting/@v";
  return {
    content: {
      [`${base}/list`]: "v1.0.0\n",
      [`${base}/v1.0.0.info`]: JSON.stringify({ Version: "v1.0.0", Time: "2026-01-01T00:00:00Z" }),
      [`${base}/v1.0.0.mod`]: goModule,
      [`${base}/v1.0.0.zip`]: zip(files),
    },
    sum: `example.test/greeting v1.0.0 ${hash(files)}\nexample.test/greeting v1.0.0/go.mod ${hash({ "go.mod": goModule })}\n`,
  };
}

/** https://doc.rust-lang.org/cargo/reference/registry-index.html */
export function crateIndex(): Content {
  const archive = tarGzip({
    "greeting-1.0.0/Cargo.toml": '[package]\nname = "greeting"\nversion = "1.0.0"\nedition = "2021"\n',
    "greeting-1.0.0/src/lib.rs": 'pub fn greet(name: &str) -> String {\n    format!("Hello, {name}")\n}\n',
  });
  const entry = { name: "greeting", vers: "1.0.0", deps: [], features: {}, yanked: false };
  return {
    "index.crates.io/config.json": JSON.stringify({ dl: "https://static.crates.io/crates", api: "https://crates.io" }),
    "index.crates.io/gr/ee/greeting": `${JSON.stringify({ ...entry, cksum: sha256(archive).toString("hex") })}\n`,
    "static.crates.io/crates/greeting/1.0.0/download": archive,
  };
}

const mojo = `package com.example;
import java.io.File;
import java.util.List;
import javax.tools.ToolProvider;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;

public class CheckMojo extends AbstractMojo {
  private File basedir;
  private List<String> classpath;

  public void execute() throws MojoExecutionException {
    try {
      File out = new File(basedir, "target/classes");
      out.mkdirs();
      String path = String.join(File.pathSeparator, classpath) + File.pathSeparator + out;
      String source = new File(basedir, "src/FarewellTest.java").getPath();
      String folder = new File(basedir, "src").getPath();
      if (ToolProvider.getSystemJavaCompiler().run(null, null, null, "-cp", path, "-sourcepath", folder, "-d", out.getPath(), source) != 0)
        throw new MojoExecutionException("It does not compile");
      String java = new File(System.getProperty("java.home"), "bin/java").getPath();
      if (new ProcessBuilder(java, "-cp", path, "FarewellTest").inheritIO().start().waitFor() != 0)
        throw new MojoExecutionException("The test failed");
    } catch (java.io.IOException | InterruptedException error) {
      throw new MojoExecutionException("It does not run", error);
    }
  }
}
`;

const mojoDescriptor = `<plugin>
  <name>check</name><groupId>com.example</groupId><artifactId>check-maven-plugin</artifactId><version>1.0.0</version>
  <goalPrefix>check</goalPrefix><isolatedRealm>false</isolatedRealm><inheritedByDefault>true</inheritedByDefault>
  <mojos><mojo>
    <goal>run</goal><phase>test</phase><requiresProject>true</requiresProject>
    <requiresDependencyResolution>test</requiresDependencyResolution>
    <description>Compiles and tests</description>
    <implementation>com.example.CheckMojo</implementation><language>java</language>
    <instantiationStrategy>per-lookup</instantiationStrategy><executionStrategy>once-per-session</executionStrategy>
    <parameters>
      <parameter><name>basedir</name><type>java.io.File</type></parameter>
      <parameter><name>classpath</name><type>java.util.List</type></parameter>
    </parameters>
    <configuration>
      <basedir implementation="java.io.File" default-value="\${basedir}"/>
      <classpath implementation="java.util.List" default-value="\${project.testClasspathElements}"/>
    </configuration>
  </mojo></mojos>
  <dependencies/>
</plugin>
`;

/** A library, and a plugin that compiles and tests. Central's own plugins have hundreds of files. */
export async function mavenRepository(folder: string): Promise<Content> {
  const home = /^Maven home: (.+)$/m.exec((await run("mvn", ["-B", "-v"])).stdout)?.[1] ?? "";
  const libraries = (await readdir(join(home, "lib"))).filter((name) => name.endsWith(".jar"));
  const sources = { CheckMojo: mojo, Greeting: libraryOf("Hello, ") };
  await mkdir(join(folder, "com/example"), { recursive: true });
  const files = Object.entries(sources).map(([name, text]) => ({
    path: join(folder, `com/example/${name}.java`),
    text,
  }));
  for (const { path, text } of files) await writeFile(path, text);
  const classPath = libraries.map((name) => join(home, "lib", name)).join(":");
  await run("javac", ["--release", "8", "-Xlint:-options", "-cp", classPath, ...files.map(({ path }) => path)]);
  const classOf = async (name: string): Promise<Buffer> => await readFile(join(folder, `com/example/${name}.class`));
  return {
    // Maven 3 adds this library to each plugin that does not name it. An empty library is enough here.
    ...artifact("org.codehaus.plexus:plexus-utils:1.1", "jar", zip({ "empty.txt": "" })),
    ...artifact("com.example:greeting:1.0.0", "jar", zip({ "com/example/Greeting.class": await classOf("Greeting") })),
    ...artifact(
      "com.example:check-maven-plugin:1.0.0",
      "maven-plugin",
      zip({ "META-INF/maven/plugin.xml": mojoDescriptor, "com/example/CheckMojo.class": await classOf("CheckMojo") }),
    ),
  };
}

const libraryOf = (word: string): string =>
  `package com.example;\npublic class Greeting {\n  public static String greet(String name) { return "${word}" + name; }\n}\n`;

function artifact(coordinates: string, packaging: string, jar: Buffer): Content {
  const [group = "", name = "", version = ""] = coordinates.split(":");
  const pom = `<project><modelVersion>4.0.0</modelVersion><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version><packaging>${packaging}</packaging></project>\n`;
  const folder = `repo.maven.apache.org/maven2/${group.replaceAll(".", "/")}/${name}/${version}`;
  const base = `${folder}/${name}-${version}`;
  const content: Content = {};
  for (const [end, data] of [["pom", pom] as const, ["jar", jar] as const]) {
    content[`${base}.${end}`] = data;
    content[`${base}.${end}.sha1`] = createHash("sha1").update(data).digest("hex");
  }
  return content;
}

export interface Registries {
  port: number;
  /** The certificate that signed the server's, as PEM and as a Java trust store with the password `changeit`. */
  certificatePath: string;
  trustStorePath: string | null;
  asked: string[];
  close(): Promise<void>;
}

export async function serveRegistries(
  folder: string,
  content: Content,
  hosts: readonly string[],
  withTrustStore: boolean,
): Promise<Registries> {
  const certificatePath = join(await realpath(folder), "certificate.pem");
  const keyPath = join(folder, "key.pem");
  const names = hosts.map((host) => `DNS:${host}`).join(",");
  const options = ["-nodes", "-days", "2", "-subj", "/CN=Test", "-addext", `subjectAltName=${names}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  await run("openssl", ["req", "-x509", ...key, ...options, "-keyout", keyPath, "-out", certificatePath]);
  const trustStorePath = withTrustStore ? join(folder, "trust.p12") : null;
  if (trustStorePath !== null)
    await run("keytool", [
      "-importcert",
      "-noprompt",
      "-alias",
      "test",
      "-file",
      certificatePath,
      "-keystore",
      trustStorePath,
      "-storetype",
      "PKCS12",
      "-storepass",
      "changeit",
    ]);
  const asked: string[] = [];
  const server: Server = createServer(
    { key: await readFile(keyPath), cert: await readFile(certificatePath) },
    (request, response) => {
      const place = `${request.headers.host}${(request.url ?? "").split("?")[0]}`;
      asked.push(place);
      const data = content[place];
      response.writeHead(data === undefined ? 404 : 200, { "content-type": typeOf(place) });
      response.end(data ?? "not found");
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    certificatePath,
    trustStorePath,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function typeOf(place: string): string {
  if (place.endsWith("/")) return "text/html";
  return /\.(tgz|whl|zip|jar)$/.test(place) ? "application/octet-stream" : "application/json";
}
