/** Apps, installations, their tokens and the log of deliveries. */
import { nodeId, type View } from "../site.ts";
import { type App, accountOf, appOf, type Grants, type Installation, type Token } from "../state.ts";
import type { Delivery } from "../webhooks.ts";
import { repositoryObject } from "./repository.ts";
import type { Schema } from "./schema.ts";
import { integration, simpleUser } from "./user.ts";

export function appObject(view: View, app: App) {
  const count = [...view.state.installations.values()].filter((one) => one.appId === app.id).length;
  return { ...integration(view, app.id), installations_count: count } satisfies Schema<"integration">;
}

export function installation(view: View, one: Installation) {
  const account = accountOf(view.state, one.accountId);
  const app = appOf(view.state, one.appId);
  const page =
    account.kind === "Organization"
      ? `${view.origin}/organizations/${account.login}/settings/installations/${one.id}`
      : `${view.origin}/settings/installations/${one.id}`;
  return {
    id: one.id,
    client_id: app.clientId,
    account: simpleUser(view, account),
    repository_selection: one.selection,
    access_tokens_url: `${view.apiUrl}/app/installations/${one.id}/access_tokens`,
    repositories_url: `${view.apiUrl}/installation/repositories`,
    html_url: page,
    app_id: app.id,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.kind,
    permissions: { ...one.grants } as Schema<"app-permissions">,
    events: [...one.events],
    created_at: one.createdAt,
    updated_at: one.updatedAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: one.suspendedAt,
  } satisfies Schema<"installation">;
}

export function installationToken(view: View, token: Token) {
  const repositories = token.repositoryIds?.flatMap((id) => {
    const found = view.state.repositories.get(id);
    return found === undefined ? [] : [repositoryObject(view, found)];
  });
  return {
    token: token.value,
    expires_at: token.expiresAt ?? "",
    permissions: { ...(token.grants as Grants) } as Schema<"app-permissions">,
    repository_selection: repositories === undefined ? ("all" as const) : ("selected" as const),
    ...(repositories === undefined ? {} : { repositories }),
  } satisfies Schema<"installation-token">;
}

export function simpleInstallation(one: Installation) {
  return { id: one.id, node_id: nodeId("Installation", one.id) } satisfies Schema<"simple-installation">;
}

export function hookDeliveryItem(one: Delivery) {
  return {
    id: one.id,
    guid: one.guid,
    delivered_at: one.deliveredAt,
    redelivery: one.redelivery,
    duration: one.durationMs / 1000,
    status: one.status,
    status_code: one.statusCode,
    event: one.event,
    action: one.action,
    installation_id: one.installationId,
    repository_id: one.repositoryId,
    throttled_at: null,
  } satisfies Schema<"hook-delivery-item">;
}

export function hookDelivery(one: Delivery) {
  return {
    ...hookDeliveryItem(one),
    url: one.url,
    request: { headers: one.request.headers, payload: one.request.payload as { [key: string]: unknown } },
    response: { headers: one.response.headers, payload: one.response.payload },
  } satisfies Schema<"hook-delivery">;
}
