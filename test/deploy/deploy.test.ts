/** Image, compose file and chart agree with Baton's code: settings, health addresses, files, users. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { describedHarnesses } from "../../src/adapters/harness/descriptions.ts";
import { product } from "../../src/core/product.ts";
import { environmentSchema } from "../../src/environment/settings.ts";
import { renderChart } from "./chart.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const settings = new Set(Object.keys(environmentSchema.shape));
const image = `ghcr.io/${product.repository.toLowerCase()}`;

type Tree = { [key: string]: Tree } & Tree[] & string;
const given = { app: { id: 12345, owners: "acme", publicUrl: "https://baton.example.com" } };

/** The manifests by kind. */
function manifests(values: object = given): Record<string, Tree> {
  return Object.fromEntries(
    renderChart(values)
      .filter(({ manifest }) => manifest !== null)
      .map(({ manifest }) => [(manifest as { kind: string }).kind, manifest as Tree]),
  );
}
const podOf = (values?: object): Tree => manifests(values)["Deployment"]?.["spec"]?.["template"]?.["spec"] as Tree;

describe("the chart", () => {
  it("has what a cluster needs, and an address only where it is asked for", () => {
    expect(Object.keys(manifests()).sort()).toEqual(["Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"]);
    const ingress = { enabled: true, host: "baton.example.com", className: "nginx", tlsSecret: "tls" };
    expect(manifests({ ...given, ingress })["Ingress"]?.["spec"]).toMatchObject({
      rules: [{ host: "baton.example.com", http: { paths: [{ path: "/api/" }, { path: "/triggers/" }] } }],
      tls: [{ hosts: ["baton.example.com"] }],
    });
    expect(manifests({ ...given, networkPolicy: { enabled: false } })).not.toHaveProperty("NetworkPolicy");
  });

  it("says which value is missing", () => {
    expect(() => renderChart()).toThrow("Set app.id to the number of the GitHub App.");
    expect(() => renderChart({ ...given, ingress: { enabled: true } })).toThrow("Set ingress.host");
  });

  it.each([
    ["as jobs of Actions", given],
    ["in the pod", { ...given, agents: "pod" }],
    ["with settings of one's own", { ...given, settings: { LOG_LEVEL: "debug", GHE_HOST: "github.example.com" } }],
  ])("agents %s: each variable is a setting of Baton, each secret a mounted file", (_, values) => {
    const pod = podOf(values);
    const [container] = pod["containers"] as Tree;
    const environment = new Map((container?.["env"] as Tree).map((one) => [String(one["name"]), String(one["value"])]));
    for (const name of environment.keys()) expect(settings).toContain(name);
    const folder = "/run/secrets/baton";
    const mounted = (pod["volumes"] as Tree)
      .find((volume) => "secret" in volume)
      ?.["secret"]?.["items"]?.map((item) => join(folder, String(item["path"])));
    const named = [...environment].filter(([name]) => /_(?:FILE|PATH)$/.test(name)).map(([, path]) => path);
    expect(named.sort()).toEqual(mounted?.sort());
    expect(read("deploy/helm/baton/templates/deployment.yaml")).not.toMatch(/secretKeyRef|envFrom/);
  });

  it("asks the addresses of health that Baton answers", () => {
    const [container] = podOf()["containers"] as Tree;
    const paths = ["startupProbe", "livenessProbe", "readinessProbe"].map(
      (probe) => container?.[probe]?.["httpGet"]?.["path"],
    );
    expect(paths).toEqual(["/ping", "/ping", "/ready"]);
  });

  it("is restricted where no agent runs in it, and opens for bubblewrap only what that needs", () => {
    const restricted = podOf();
    expect(restricted).not.toHaveProperty("hostUsers");
    expect(restricted["securityContext"]).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    const own = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
    expect(restricted["containers"]?.[0]?.["securityContext"]).toEqual(own);
    const open = podOf({ ...given, agents: "pod" });
    expect(open).toMatchObject({ hostUsers: false, securityContext: { seccompProfile: { type: "Unconfined" } } });
    expect(open["containers"]?.[0]?.["securityContext"]).toEqual({ ...own, procMount: "Unmasked" });
  });

  it("runs this version's image as the user that the image makes", () => {
    expect(podOf()["containers"]?.[0]?.["image"]).toBe(`${image}:${product.version}`);
    const user = /--uid (\d+)/.exec(read("deploy/image/install.sh"))?.[1];
    expect(String(podOf()["securityContext"]?.["runAsUser"])).toBe(user);
    expect(read("deploy/image/Containerfile")).toContain(`USER ${user}:${user}`);
    expect(parse(read("deploy/helm/baton/Chart.yaml"))).toMatchObject({
      version: product.version,
      appVersion: product.version,
    });
  });

  it("selects its own pods everywhere", () => {
    const { Deployment, Service, NetworkPolicy, PodDisruptionBudget } = manifests();
    const labels = Deployment?.["spec"]?.["template"]?.["metadata"]?.["labels"];
    expect(Deployment?.["spec"]?.["selector"]?.["matchLabels"]).toEqual(labels);
    expect(Service?.["spec"]?.["selector"]).toEqual(labels);
    expect(NetworkPolicy?.["spec"]?.["podSelector"]?.["matchLabels"]).toEqual(labels);
    expect(PodDisruptionBudget?.["spec"]?.["selector"]?.["matchLabels"]).toEqual(labels);
  });
});

describe("the compose file", () => {
  const compose = parse(read("deploy/compose.yaml")) as Tree;
  const baton = compose["services"]?.["baton"] as Tree;

  it("names settings of Baton, and a file for each secret that it mounts", () => {
    const environment = baton["environment"] as unknown as Record<string, string>;
    for (const name of Object.keys(environment)) expect(settings).toContain(name);
    const files = Object.entries(environment).filter(([name]) => /_(?:FILE|PATH)$/.test(name));
    expect(files.map(([, path]) => path.replace("/run/secrets/", "")).sort()).toEqual(
      [...(baton["secrets"] as unknown as string[])].sort(),
    );
    const declared = Object.keys(compose["secrets"] as object);
    for (const service of Object.values(compose["services"] as object) as Tree[])
      for (const secret of service["secrets"] as Tree) expect(declared).toContain(secret);
    // Secrets never become variables.
    expect(JSON.stringify(environment)).not.toMatch(/"(?:WEBHOOK_SECRET|PRIVATE_KEY|DATABASE_URL|\w+_API_KEY)":/);
  });

  it("runs this version's image, built from files that exist", () => {
    expect(baton["image"]).toBe(`${image}:${product.version}`);
    const folder = join("deploy", String(baton["build"]?.["context"]));
    expect(existsSync(join(root, folder, String(baton["build"]?.["dockerfile"])))).toBe(true);
  });
});

describe("the image", () => {
  const text = read("deploy/image/Containerfile");

  it("copies files that exist, and installs agents that Baton knows", () => {
    for (const path of text.match(/deploy\/image\/\S+\.(?:sh|mjs)/g) ?? [])
      expect(existsSync(join(root, path))).toBe(true);
    const harnesses = /ARG HARNESSES="(.*)"/.exec(text)?.[1]?.split(" ") ?? [];
    const known = describedHarnesses.map(({ npmPackage }) => npmPackage);
    expect(harnesses.length).toBeGreaterThan(0);
    for (const harness of harnesses) expect(known).toContain(harness.replace(/(?<=.)@[^@]*$/, ""));
  });

  it("is no root's, and answers for its health", () => {
    expect(text).toMatch(/^USER 10001:10001$/m);
    expect(text).toMatch(/^HEALTHCHECK .*health\.mjs/m);
    expect(read(join(dirname("deploy/image/x"), "health.mjs"))).toContain("/health");
  });
});
