/**
 * SARIF 2.1.0, as linters and scanners write it.
 * Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. GitHub's subset:
 * https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
import { insidePath, lineOf, named, type RawFinding, type Severity } from "../../core/finding.ts";
import { counted, type Detector, invalid, isObject, listOf, parseJson, textFor, textOf } from "./detector.ts";

const levels: Readonly<Record<string, Severity>> = { error: "error", warning: "warning", note: "note" };

export const sarif: Detector = {
  name: "sarif",
  summary: "A report in SARIF 2.1.0.",
  version: 2,
  read(report, { root, lineAt }) {
    const whole = parseJson("sarif", report);
    if (!isObject(whole) || !Array.isArray(whole["runs"])) throw invalid("sarif", "it has no `runs`");
    const version = textOf(whole["version"]);
    if (version !== "2.1.0") throw invalid("sarif", `its version is "${version.slice(0, 20)}", and 2.1.0 is read`);
    const raw: RawFinding[] = [];
    let [outside, without] = [0, 0];
    for (const run of whole["runs"].filter(isObject)) {
      const rules = rulesOf(run);
      const bases = isObject(run["originalUriBaseIds"]) ? run["originalUriBaseIds"] : {};
      for (const result of listOf(run["results"]).filter(isObject)) {
        // A suppressed result is not a current finding. Neither is one that the tool compared as unchanged or gone.
        if (listOf(result["suppressions"]).length > 0 || result["baselineState"] === "absent") continue;
        if (["pass", "notApplicable", "informational"].includes(textOf(result["kind"]))) continue;
        const index = typeof result["ruleIndex"] === "number" ? result["ruleIndex"] : -1;
        const reference = isObject(result["rule"]) ? result["rule"] : {};
        const id = textOf(result["ruleId"], textOf(reference["id"], rules[index]?.id ?? "")) || "unknown";
        const rule = rules[index] ?? rules.find((one) => one.id === id);
        const location = listOf(result["locations"]).find(isObject);
        const place = location === undefined ? null : placeOf(location, bases, root);
        if (location === undefined) without += 1;
        else if (place?.path === null) outside += 1;
        const at = {
          message: messageOf(result, rule?.text ?? id),
          path: place?.path ?? null,
          line: place?.path == null ? null : place.line,
        };
        raw.push({
          rule: id,
          ...at,
          severity: levels[textOf(result["level"])] ?? rule?.level ?? "warning",
          text: printOf(result) || place?.snippet || textFor(at, lineAt),
        });
      }
    }
    return named("sarif", raw, [
      ...counted(
        outside,
        "is about a path outside the repository. It has no place.",
        "are about paths outside the repository. They have no place.",
      ),
      ...counted(without, "names no location.", "name no location."),
    ]);
  },
};

interface RuleOf {
  id: string;
  level: Severity | undefined;
  text: string;
}

function rulesOf(run: Record<string, unknown>): RuleOf[] {
  const tool = isObject(run["tool"]) ? run["tool"] : {};
  const driver = isObject(tool["driver"]) ? tool["driver"] : {};
  return listOf(driver["rules"]).map((rule): RuleOf => {
    if (!isObject(rule)) return { id: "", level: undefined, text: "" };
    const configuration = isObject(rule["defaultConfiguration"]) ? rule["defaultConfiguration"] : {};
    const short = isObject(rule["shortDescription"]) ? rule["shortDescription"] : {};
    return { id: textOf(rule["id"]), level: levels[textOf(configuration["level"])], text: textOf(short["text"]) };
  });
}

function messageOf(result: Record<string, unknown>, otherwise: string): string {
  const message = isObject(result["message"]) ? result["message"] : {};
  return textOf(message["text"], textOf(message["markdown"], otherwise)) || otherwise;
}

/** The tool's own identifiers of a place that survive moved lines. */
function printOf(result: Record<string, unknown>): string {
  const prints = isObject(result["partialFingerprints"]) ? result["partialFingerprints"] : {};
  const [name] = Object.keys(prints)
    .filter((key) => typeof prints[key] === "string")
    .sort();
  return name === undefined ? "" : textOf(prints[name]);
}

function placeOf(
  location: Record<string, unknown>,
  bases: Record<string, unknown>,
  root: string | null,
): { path: string | null; line: number | null; snippet: string } {
  const physical = isObject(location["physicalLocation"]) ? location["physicalLocation"] : {};
  const artifact = isObject(physical["artifactLocation"]) ? physical["artifactLocation"] : {};
  const region = isObject(physical["region"]) ? physical["region"] : {};
  const snippet = isObject(region["snippet"]) ? region["snippet"] : {};
  const base = bases[textOf(artifact["uriBaseId"])];
  const baseUri = isObject(base) ? textOf(base["uri"]) : "";
  const uri = textOf(artifact["uri"]);
  // A path relative to a base is a path of the repository, wherever the tool saw it.
  const baseRoot = baseUri.startsWith("file:") ? baseUri.replace(/^file:(?:\/\/[^/]*)?/, "") : null;
  const path = uri === "" ? null : (insidePath(uri, baseRoot) ?? insidePath(uri, root));
  return { path, line: lineOf(region["startLine"]), snippet: textOf(snippet["text"]) };
}
