/**
 * The chart as Helm renders it. `rendered.json` keeps what Helm made of it, because Helm is a large download. The suite `chart`
 * renders again and compares. After a change of the chart: `npm run prove -- chart --write 1`.
 *
 * CH1 The kept text belongs to the chart's files: their hash is in it. Another chart is never tested by an old rendering.
 * CH2 The kept text names no version and no repository, so that a release changes neither.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { product } from "../../src/core/product.ts";

export const chartFolder = fileURLToPath(new URL("../../deploy/helm/baton", import.meta.url));
export const renderedFile = fileURLToPath(new URL("rendered.json", import.meta.url));

const app = { id: 1234567, owners: "acme", publicUrl: "https://baton.example.com" };
const ingress = {
  enabled: true,
  host: "baton.example.com",
  className: "nginx",
  tlsSecret: "tls",
  annotations: { a: "b" },
};

/** Values over those of the chart. */
export const variants = {
  runners: { app },
  pod: { app: { ...app, publicUrl: "" }, agents: "pod", replicas: 3 },
  everything: {
    app,
    ingress,
    image: { pullSecrets: ["registry"] },
    networkPolicy: { from: [{ namespaceSelector: { matchLabels: { name: "ingress" } } }] },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "agents", operator: "Exists" }],
    affinity: { nodeAffinity: {} },
    settings: { LOG_LEVEL: "debug", GHE_HOST: "github.example.com", BATON_SANDBOX_PROCESSES: 1234567 },
  },
  withoutPolicy: { app, networkPolicy: { enabled: false } },
  // Values that Helm refuses.
  nothing: {},
  withoutId: { app: { ...app, id: "" } },
  withoutPublicUrl: { app: { ...app, publicUrl: "" } },
  withoutHost: { app, ingress: { enabled: true } },
  unknownAgents: { app, agents: "pods" },
  unknownKey: { app: { ...app, publicURL: "https://baton.example.com" } },
} as const satisfies Record<string, object>;
export type Variant = keyof typeof variants;

export interface Rendered {
  helm: string;
  chart: string;
  /** Helm's output, or what it says instead. */
  variants: Record<Variant, { text: string } | { error: string }>;
}

export function chartHash(): string {
  const hash = createHash("sha256");
  const files = readdirSync(chartFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of files) hash.update(`${path.slice(chartFolder.length)}\n${neutral(readFileSync(path, "utf8"))}\n`);
  return hash.digest("hex");
}

const [versionMark, repositoryMark] = ["VERSION", "OWNER/NAME"];

/** CH2 */
export function neutral(text: string): string {
  return text
    .replaceAll(product.repository, repositoryMark)
    .replaceAll(product.repository.toLowerCase(), repositoryMark)
    .replaceAll(new RegExp(`(?<=[:\\s])${product.version.replaceAll(".", "\\.")}(?=["\\s])`, "g"), versionMark);
}

export const kept = (): Rendered => JSON.parse(readFileSync(renderedFile, "utf8")) as Rendered;

/** The manifests of a variant. */
export function manifestsOf(rendered: Rendered, variant: Variant): unknown[] {
  const found = rendered.variants[variant];
  if ("error" in found) throw new Error(found.error);
  const text = found.text
    .replaceAll(versionMark, product.version)
    .replaceAll(repositoryMark, product.repository.toLowerCase());
  return parseAllDocuments(text).map((document) => document.toJS() as unknown);
}
