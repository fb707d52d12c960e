/** Lists of alerts: code scanning, Dependabot, secret scanning. A disabled list refuses, each in words of its own. */
import { Refusal } from "../answer.ts";
import { codeScanningAlert, dependabotAlert, secretScanningAlert } from "../resources/alert.ts";
import { listed, type RepositoryContext, repositoryRoute } from "../route.ts";
import type { Alert, AlertKind } from "../state.ts";

function alertsOf({ repository, request }: RepositoryContext, kind: AlertKind): Alert[] | null {
  const state = request.query.get("state");
  return repository.alerts[kind]?.filter((one) => state === null || state.split(",").includes(one.state)) ?? null;
}

export const alertRoutes = [
  // Source: https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-a-repository (404)
  repositoryRoute("GET /code-scanning/alerts", "security_events:read", (context) => {
    const alerts = alertsOf(context, "codeScanning");
    if (alerts === null) throw new Refusal(404, "no analysis found");
    return listed(context, alerts, (one) => codeScanningAlert(context.view, context.repository, one));
  }),
  // Source: https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-a-repository (403)
  repositoryRoute("GET /dependabot/alerts", "vulnerability_alerts:read", (context) => {
    // Its pages use a cursor. A page number is refused.
    if (context.request.query.has("page"))
      throw new Refusal(400, "Pagination using the `page` parameter is not supported.");
    const alerts = alertsOf(context, "dependabot");
    if (alerts === null) throw new Refusal(403, "Dependabot alerts are disabled for this repository.");
    return listed(context, alerts, (one) => dependabotAlert(context.view, context.repository, one));
  }),
  // Source: https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-a-repository (404)
  repositoryRoute("GET /secret-scanning/alerts", "secret_scanning_alerts:read", (context) => {
    const alerts = alertsOf(context, "secretScanning");
    if (alerts === null) throw new Refusal(404, "Secret scanning is disabled on this repository.");
    const hide = context.request.query.get("hide_secret") === "true";
    return listed(context, alerts, (one) => secretScanningAlert(context.view, context.repository, one, hide));
  }),
];
