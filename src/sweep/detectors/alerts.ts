/**
 * Alerts that GitHub keeps: JSON lists as its REST API gives them, of code scanning, Dependabot and secret scanning.
 * Sources: https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-a-repository,
 * https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-a-repository and
 * https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-a-repository
 *
 * AL1 The value of a leaked secret is never part of a finding.
 */
import { insidePath, lineOf, named, type RawFinding, type Severity } from "../../core/finding.ts";
import { type Detector, invalid, isObject, parseJson, textOf } from "./detector.ts";

const severityOf: Readonly<Record<string, Severity>> = {
  critical: "error",
  high: "error",
  error: "error",
  medium: "warning",
  moderate: "warning",
  warning: "warning",
  low: "note",
  note: "note",
};

export const alerts: Detector = {
  name: "alerts",
  summary: "Open alerts of code scanning, Dependabot and secret scanning.",
  version: 1,
  read(report) {
    const whole = parseJson("alerts", report);
    if (!Array.isArray(whole)) throw invalid("alerts", "it is not a list of alerts");
    const raw = whole.filter(isObject).flatMap((alert): RawFinding[] => {
      if (alert["state"] !== "open") return [];
      if (typeof alert["secret_type"] === "string") return [secretOf(alert)];
      if (isObject(alert["dependency"])) return [dependencyOf(alert, alert["dependency"])];
      return isObject(alert["rule"]) ? [codeOf(alert, alert["rule"])] : [];
    });
    return named("alerts", raw);
  },
};

function secretOf(alert: Record<string, unknown>): RawFinding {
  const type = textOf(alert["secret_type_display_name"], textOf(alert["secret_type"]));
  return {
    rule: "secret",
    message: `GitHub found a secret (${type}), alert ${numberOf(alert)}. Revoke it; a change of the code does not.`,
    severity: "error",
    path: null,
    line: null,
    text: `secret ${numberOf(alert)}`,
  };
}

function dependencyOf(alert: Record<string, unknown>, dependency: Record<string, unknown>): RawFinding {
  const found = isObject(dependency["package"]) ? dependency["package"] : {};
  const advisory = isObject(alert["security_advisory"]) ? alert["security_advisory"] : {};
  const vulnerability = isObject(alert["security_vulnerability"]) ? alert["security_vulnerability"] : {};
  const patched = isObject(vulnerability["first_patched_version"]) ? vulnerability["first_patched_version"] : {};
  const version = textOf(patched["identifier"]);
  const name = textOf(found["name"], "?");
  return {
    rule: textOf(advisory["ghsa_id"], "advisory"),
    message: `${name}: ${textOf(advisory["summary"])}${version === "" ? "" : ` Fixed in ${version}.`}`,
    severity: severityOf[textOf(vulnerability["severity"], textOf(advisory["severity"]))] ?? "warning",
    path: insidePath(textOf(dependency["manifest_path"])),
    line: null,
    text: name,
  };
}

function codeOf(alert: Record<string, unknown>, rule: Record<string, unknown>): RawFinding {
  const instance = isObject(alert["most_recent_instance"]) ? alert["most_recent_instance"] : {};
  const location = isObject(instance["location"]) ? instance["location"] : {};
  const message = isObject(instance["message"]) ? instance["message"] : {};
  const path = insidePath(textOf(location["path"]));
  return {
    rule: textOf(rule["id"], "code"),
    message: textOf(message["text"], textOf(rule["description"], "?")),
    severity: severityOf[textOf(rule["security_severity_level"], textOf(rule["severity"]))] ?? "warning",
    path,
    line: path === null ? null : lineOf(location["start_line"]),
    // GitHub follows its alerts as lines move.
    text: `alert ${numberOf(alert)}`,
  };
}

function numberOf({ number }: Record<string, unknown>): string {
  return typeof number === "number" ? `${number}` : "?";
}
