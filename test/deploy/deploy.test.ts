/** Image, compose file and chart agree with Baton's code: settings, health addresses, files, users. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { describedHarnesses } from "../../src/adapters/harness/descriptions.ts";
import { product } from "../../src/core/product.ts";
import { environmentSchema } from "../../src/environment/settings.ts";
import { chartHash, kept, manifestsOf, type Variant } from "./chart.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const settings = new Set(Object.keys(environmentSchema.shape));
const image = `ghcr.io/${product.repository.toLowerCase()}`;

type Tree = { [key: string]: Tree } & Tree[] & string;
const rendered = kept();

/** The manifests by kind. */
function manifests(variant: Variant = "runners"): Record<string, Tree> {
  return Object.fromEntries(manifestsOf(rendered, variant).map((one) => [(one as { kind: string }).kind, one as Tree]));
}
const podOf = (variant?: Variant): Tree => manifests(variant)["Deployment"]?.["spec"]?.["template"]?.["spec"] as Tree;

describe("the chart", () => {
  it("has what a cluster needs, and an address only where it is asked for", () => {
    expect(Object.keys(manifests()).sort()).toEqual(["Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"]);
    expect(manifests("everything")["Ingress"]?.["spec"]).toMatchObject({
      rules: [{ host: "baton.example.com", http: { paths: [{ path: "/api/" }, { path: "/triggers/" }] } }],
      tls: [{ hosts: ["baton.example.com"] }],
    });
    expect(manifests("withoutPolicy")).not.toHaveProperty("NetworkPolicy");
  });

  it("is the one that Helm rendered: after a change run `npm run prove -- chart --write 1`", () => {
    expect(rendered.chart).toBe(chartHash());
  });

  it.each<[Variant, string]>([
    ["nothing", "Set app.id to the number of the GitHub App."],
    ["withoutId", "Set app.id to the number of the GitHub App."],
    ["withoutPublicUrl", "Set app.publicUrl to the address at which runners reach Baton"],
    ["withoutHost", "Set ingress.host to the name at which GitHub reaches Baton."],
    ["unknownAgents", "at '/agents': value must be one of 'pod', 'runners'"],
    ["unknownKey", "at '/app': additional properties 'publicURL' not allowed"],
  ])("Helm says before it installs anything what is missing or unknown: %s", (variant, sentence) => {
    expect(rendered.variants[variant]).toEqual({ error: expect.stringContaining(sentence) });
  });

  it("writes a number as it is given, also one that Helm reads as a floating-point one", () => {
    const environment = podOf("everything")["containers"]?.[0]?.["env"] as Tree;
    expect(environment).toContainEqual({ name: "APP_ID", value: "1234567" });
    expect(environment).toContainEqual({ name: "BATON_SANDBOX_PROCESSES", value: "1234567" });
  });

  it.each<Variant>(["runners", "pod", "everything"])(
    "%s: each variable is a setting of Baton, each secret a mounted file",
    (variant) => {
      const pod = podOf(variant);
      const [container] = pod["containers"] as Tree;
      const environment = new Map(
        (container?.["env"] as Tree).map((one) => [String(one["name"]), String(one["value"])]),
      );
      for (const name of environment.keys()) expect(settings).toContain(name);
      const folder = "/run/secrets/baton";
      const mounted = (pod["volumes"] as Tree)
        .find((volume) => "secret" in volume)
        ?.["secret"]?.["items"]?.map((item) => join(folder, String(item["path"])));
      const named = [...environment].filter(([name]) => /_(?:FILE|PATH)$/.test(name)).map(([, path]) => path);
      expect(named.sort()).toEqual(mounted?.sort());
      expect(read("deploy/helm/baton/templates/deployment.yaml")).not.toMatch(/secretKeyRef|envFrom/);
    },
  );

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
    const open = podOf("pod");
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
