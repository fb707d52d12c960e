/** Dashboard and alerts of `deploy/monitoring` name only metrics and labels that Baton has. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { Metrics } from "./metrics.ts";

const metrics = new Metrics({ dependencies: {}, runner: {} } as never);
const read = (name: string): string =>
  readFileSync(new URL(`../../../deploy/monitoring/${name}`, import.meta.url), "utf8");
const dashboard = JSON.parse(read("grafana.json")) as { panels: { title: string; targets: { expr: string }[] }[] };
const alerts = parse(read("alerts.yaml")) as {
  groups: { rules: { alert: string; expr: string; annotations: object }[] }[];
};
const queries: [string, string][] = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }): [string, string] => [alert, expr])),
];
/** Labels that Prometheus itself adds. */
const added = ["le", "instance", "job"];

it.each(queries)("%s asks for what exists", (_, expr) => {
  const named = expr.match(/baton_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  const labels = named.flatMap(
    (name) => metrics.labelsOf(name.replace(/_(?:bucket|sum|count)$/, "")) ?? ["unknown metric"],
  );
  expect(labels).not.toContain("unknown metric");
  const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/,\s*/));
  const filtered = [...expr.matchAll(/(\w+)=~?"/g)].map(([, label = ""]) => label);
  for (const label of [...grouped, ...filtered]) expect([...labels, ...added]).toContain(label);
});

it("shows every metric of Baton somewhere, except its version", () => {
  const all = queries.map(([, expr]) => expr).join("\n");
  expect(metrics.names.filter((name) => !all.includes(name))).toEqual(["baton_info"]);
});
