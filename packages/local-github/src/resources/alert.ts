/** Alerts as GitHub's lists return them. */
import { nodeId, type View } from "../site.ts";
import type { Alert, Repository } from "../state.ts";
import { repositoryPage, repositoryUrl } from "./repository.ts";

type Shown = Record<string, unknown>;

function common(view: View, repository: Repository, { number, createdAt }: Alert, kind: string, page: string): Shown {
  return {
    number,
    created_at: createdAt,
    updated_at: createdAt,
    url: `${repositoryUrl(view, repository)}/${kind}/alerts/${number}`,
    html_url: `${repositoryPage(view, repository)}/security/${page}/${number}`,
  };
}

export function codeScanningAlert(view: View, repository: Repository, alert: Alert): Shown {
  const { number, rule, summary, severity, path, line, state } = alert;
  const shown = common(view, repository, alert, "code-scanning", "code-scanning");
  return {
    ...shown,
    instances_url: `${repositoryUrl(view, repository)}/code-scanning/alerts/${number}/instances`,
    state,
    fixed_at: null,
    dismissed_by: null,
    dismissed_at: null,
    dismissed_reason: null,
    dismissed_comment: null,
    rule: {
      id: rule,
      severity: "error",
      security_severity_level: severity,
      description: summary,
      name: rule,
      tags: [],
    },
    tool: { name: "CodeQL", guid: null, version: "2.20.0" },
    most_recent_instance: {
      ref: `refs/heads/${repository.defaultBranch}`,
      analysis_key: ".github/workflows/codeql.yml:analyze",
      environment: "{}",
      category: ".github/workflows/codeql.yml:analyze",
      state,
      commit_sha: repository.refs.get(`refs/heads/${repository.defaultBranch}`) ?? "",
      message: { text: summary },
      location: { path: path ?? "", start_line: line ?? 1, end_line: line ?? 1, start_column: 1, end_column: 2 },
      classifications: [],
    },
  };
}

export function dependabotAlert(view: View, repository: Repository, alert: Alert): Shown {
  const { rule, summary, severity, path, state, packageName } = alert;
  const found = { ecosystem: "npm", name: packageName };
  const vulnerability = {
    package: found,
    severity,
    vulnerable_version_range: "< 1.3.0",
    first_patched_version: { identifier: "1.3.0" },
  };
  const at = alert.createdAt;
  return {
    ...common(view, repository, alert, "dependabot", "dependabot"),
    state,
    dependency: { package: found, manifest_path: path ?? "package-lock.json", scope: "runtime" },
    security_advisory: {
      ghsa_id: rule,
      cve_id: null,
      summary,
      description: summary,
      vulnerabilities: [vulnerability],
      severity,
      cvss: { vector_string: null, score: 0 },
      cwes: [],
      identifiers: [{ value: rule, type: "GHSA" }],
      references: [{ url: `https://github.com/advisories/${rule}` }],
      published_at: at,
      updated_at: at,
      withdrawn_at: null,
    },
    security_vulnerability: vulnerability,
    dismissed_at: null,
    dismissed_by: null,
    dismissed_reason: null,
    dismissed_comment: null,
    fixed_at: null,
  };
}

/** `hide`: the caller asked for alerts without the secrets themselves. */
export function secretScanningAlert(view: View, repository: Repository, alert: Alert, hide: boolean): Shown {
  const shown = common(view, repository, alert, "secret-scanning", "secret-scanning");
  return {
    ...shown,
    locations_url: `${String(shown["url"])}/locations`,
    state: alert.state,
    resolution: null,
    resolved_at: null,
    resolved_by: null,
    resolution_comment: null,
    secret_type: alert.rule,
    secret_type_display_name: alert.summary,
    secret: hide ? "" : nodeId("secret", alert.number),
    validity: "unknown",
    publicly_leaked: false,
    multi_repo: false,
    push_protection_bypassed: false,
    push_protection_bypassed_by: null,
    push_protection_bypassed_at: null,
  };
}
