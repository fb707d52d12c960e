/**
 * The suite `chart`: the chart's manifests fit the schemas of Kubernetes, without unknown keys. An npm package that is
 * installed only for this suite has the schemas.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { parse } from "yaml";
import { chartFolder, renderChart } from "../../deploy/chart.ts";
import type { Suite } from "../suite.ts";

const schemas = "kubernetes-models@5.1.0";
const timeout = 10 * 60_000;
const app = { id: 12345, owners: "acme", publicUrl: "https://baton.example.com" };
const variants: readonly object[] = [
  { app },
  { app, agents: "pod", replicas: 3 },
  {
    app,
    ingress: {
      enabled: true,
      host: "baton.example.com",
      className: "nginx",
      tlsSecret: "tls",
      annotations: { a: "b" },
    },
    image: { pullSecrets: ["registry"] },
    networkPolicy: { from: [{ namespaceSelector: { matchLabels: { name: "ingress" } } }] },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "agents", operator: "Exists" }],
    affinity: { nodeAffinity: {} },
    settings: { LOG_LEVEL: "debug" },
  },
];

interface Manifest {
  apiVersion: string;
  kind: string;
}

type Validate = ((data: unknown) => boolean) & { errors?: readonly { instancePath: string; message?: string }[] };

export const chart: Suite = {
  name: "chart",
  summary: "Every manifest of the Helm chart fits Kubernetes' schemas and holds no unknown key.",
  flags: [],
  async prove({ say }) {
    const work = await mkdtemp(join(tmpdir(), "baton-chart-"));
    try {
      await writeFile(join(work, "package.json"), "{}");
      await execa("npm", ["install", "--no-audit", "--no-fund", schemas], { cwd: work, timeout });
      const wrong: string[] = [];
      let count = 0;
      for (const values of variants)
        for (const { path, manifest } of renderChart(values)) {
          if (manifest === null) continue;
          count += 1;
          for (const line of await problemsOf(work, manifest as Manifest)) wrong.push(`${path}: ${line}`);
        }
      const seen = await problemsOf(work, unknownKey());
      if (seen.length === 0) wrong.push("An unknown key in a pod was not found.");
      for (const line of wrong) say(line);
      return { held: wrong.length === 0, result: { chart: chartFolder, schemas, manifests: count, wrong } };
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

/** Shows that the check can fail. */
function unknownKey(): Manifest {
  const deployment = renderChart({ app }).find(({ path }) => path === "deployment.yaml");
  return parse(
    (deployment?.text ?? "").replace("hostUsers", "hostUser").replace("automountServiceAccountToken", "mountToken"),
  );
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
