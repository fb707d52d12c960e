/**
 * Webhooks: their receivers, signatures and order, and the log of every delivery.
 *
 * W1 A GUID names one event for one App. A redelivery and a duplicate carry the same GUID and the same bytes.
 * W2 The payload is built when the event happens, not when it is sent.
 * W3 Deliveries of one App leave one after the other, unless a fault changes that.
 */
import { createHmac, randomUUID } from "node:crypto";
import type { Exchange } from "./exchange.ts";
import type { WebhookFaults } from "./faults.ts";
import { simpleInstallation } from "./resources/app.ts";
import { fullRepository } from "./resources/repository.ts";
import { userById } from "./resources/user.ts";
import type { Site } from "./site.ts";
import { type App, accountOf, covers, type Installation, type Repository, takeId } from "./state.ts";

export interface WebhookPost {
  event: string;
  action: string | null;
  repository: Repository | null;
  senderId: number;
  /** The fields of this event. `action`, `repository`, `installation` and `sender` are added. */
  payload: object;
  /** Set for events about one App's own check run or own installation. */
  onlyAppId?: number;
  /** Given for events about an installation itself. */
  installation?: Installation;
}

export interface Delivery {
  id: number;
  guid: string;
  appId: number;
  deliveredAt: string;
  redelivery: boolean;
  durationMs: number;
  status: string;
  statusCode: number;
  event: string;
  action: string | null;
  installationId: number | null;
  repositoryId: number | null;
  url: string;
  request: { headers: Record<string, string>; payload: unknown };
  response: { headers: Record<string, string>; payload: string };
  /** The exact bytes, so that a redelivery is identical. */
  body: string;
}

interface Parcel {
  appId: number;
  guid: string;
  event: string;
  action: string | null;
  installationId: number | null;
  repositoryId: number | null;
  body: string;
  redelivery: boolean;
}

/** GitHub waits this long for an answer. */
const answerTimeoutMs = 10_000;

export interface Webhooks {
  post(webhook: WebhookPost): void;
  redeliver(delivery: Delivery): void;
  /** Sends the parcels that a reorder fault still holds back. */
  flush(): void;
}

export function createWebhooks(
  site: Site,
  options: { faults: WebhookFaults; onExchange: (exchange: Exchange) => void },
): Webhooks {
  const queues = new Map<number, Promise<void>>();

  function enqueue(parcel: Parcel): void {
    const before = queues.get(parcel.appId) ?? Promise.resolve();
    const sent = before.then(() => send(parcel));
    queues.set(
      parcel.appId,
      sent.catch(() => undefined),
    );
    site.inFlight(sent);
  }

  async function send(parcel: Parcel): Promise<void> {
    const app = site.state.apps.get(parcel.appId);
    if (app?.webhook == null) return;
    // The App may disable or change its webhook while this delivery is on its way.
    const { url } = app.webhook;
    const headers = headersOf(app, parcel);
    const started = performance.now();
    const dropped = options.faults.drops(parcel);
    const answer = dropped
      ? { status: "failed to connect to host", statusCode: 502, headers: {}, payload: "" }
      : await call(site, { url, headers, body: parcel.body });
    const delivery: Delivery = {
      id: takeId(site.state),
      guid: parcel.guid,
      appId: app.id,
      deliveredAt: site.now().toISOString(),
      redelivery: parcel.redelivery,
      durationMs: Math.round(performance.now() - started),
      status: answer.status,
      statusCode: answer.statusCode,
      event: parcel.event,
      action: parcel.action,
      installationId: parcel.installationId,
      repositoryId: parcel.repositoryId,
      url,
      request: { headers, payload: JSON.parse(parcel.body) },
      response: { headers: answer.headers, payload: answer.payload },
      body: parcel.body,
    };
    site.deliveries.push(delivery);
    options.onExchange({
      kind: "webhook",
      event: parcel.event,
      action: parcel.action,
      headers,
      payload: delivery.request.payload,
      status: answer.statusCode,
    });
  }

  return {
    post(webhook) {
      for (const { app, installation } of receivers(site, webhook)) {
        const parcel = parcelFor(site, webhook, { app, installation });
        for (const ready of options.faults.arrange(parcel)) enqueue(ready);
      }
    },
    redeliver(delivery) {
      enqueue({ ...delivery, redelivery: true });
    },
    flush() {
      for (const held of options.faults.release<Parcel>()) enqueue(held);
    },
  };
}

function receivers(site: Site, webhook: WebhookPost): { app: App; installation: Installation }[] {
  const found: { app: App; installation: Installation }[] = [];
  for (const installation of site.state.installations.values()) {
    if (webhook.installation !== undefined && webhook.installation.id !== installation.id) continue;
    if (webhook.onlyAppId !== undefined && webhook.onlyAppId !== installation.appId) continue;
    if (webhook.repository !== null && !covers(installation, webhook.repository)) continue;
    const always = webhook.event === "installation" || webhook.event === "installation_repositories";
    if (!always && (installation.suspendedAt !== null || !installation.events.includes(webhook.event))) continue;
    const app = site.state.apps.get(installation.appId);
    if (app !== undefined && app.webhook !== null) found.push({ app, installation });
  }
  return found;
}

function parcelFor(site: Site, webhook: WebhookPost, to: { app: App; installation: Installation }): Parcel {
  const { repository } = webhook;
  const owner = repository === null ? null : accountOf(site.state, repository.ownerId);
  const payload = {
    ...(webhook.action === null ? {} : { action: webhook.action }),
    ...webhook.payload,
    ...(repository === null ? {} : { repository: webhookRepository(site, repository) }),
    ...(owner?.kind === "Organization" ? { organization: organization(site, owner.id) } : {}),
    ...(webhook.installation === undefined ? { installation: simpleInstallation(to.installation) } : {}),
    sender: userById(site, webhook.senderId),
  };
  return {
    appId: to.app.id,
    guid: randomUUID(),
    event: webhook.event,
    action: webhook.action,
    installationId: to.installation.id,
    repositoryId: repository?.id ?? null,
    body: JSON.stringify(payload),
    redelivery: false,
  };
}

/** Fields that only the settings and the page of a repository show. */
const notInPayloads = new Set([
  "permissions",
  "parent",
  "source",
  "organization",
  "template_repository",
  "temp_clone_token",
  "subscribers_count",
  "network_count",
  "use_squash_pr_title_as_default",
  "squash_merge_commit_title",
  "squash_merge_commit_message",
  "merge_commit_title",
  "merge_commit_message",
]);

function webhookRepository(site: Site, repository: Repository): object {
  const shown = Object.entries(fullRepository(site, repository, null)).filter(([name]) => !notInPayloads.has(name));
  return { ...Object.fromEntries(shown), custom_properties: {} };
}

function organization(site: Site, id: number): object {
  const user = userById(site, id);
  const url = `${site.apiUrl}/orgs/${user.login}`;
  return {
    login: user.login,
    id: user.id,
    node_id: user.node_id,
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: user.avatar_url,
    description: "",
  };
}

function headersOf(app: App, parcel: Parcel): Record<string, string> {
  const secret = app.webhook?.secret ?? "";
  const sign = (algorithm: "sha1" | "sha256") =>
    `${algorithm}=${createHmac(algorithm, secret).update(parcel.body).digest("hex")}`;
  return {
    Accept: "*/*",
    "Content-Type": "application/json",
    "User-Agent": "GitHub-Hookshot/local",
    "X-GitHub-Delivery": parcel.guid,
    "X-GitHub-Event": parcel.event,
    "X-GitHub-Hook-ID": String(app.hookId),
    "X-GitHub-Hook-Installation-Target-ID": String(app.id),
    "X-GitHub-Hook-Installation-Target-Type": "integration",
    "X-Hub-Signature": sign("sha1"),
    "X-Hub-Signature-256": sign("sha256"),
  };
}

async function call(site: Site, request: { url: string; headers: Record<string, string>; body: string }) {
  try {
    const response = await fetch(request.url, {
      method: "POST",
      headers: request.headers,
      body: request.body,
      signal: AbortSignal.any([site.closing, AbortSignal.timeout(answerTimeoutMs)]),
    });
    const payload = await response.text();
    const headers = Object.fromEntries(response.headers);
    const status = response.ok ? "OK" : `Invalid HTTP Response: ${response.status}`;
    return { status, statusCode: response.status, headers, payload };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const status = timedOut ? "timed out" : "failed to connect to host";
    return { status, statusCode: timedOut ? 504 : 502, headers: {}, payload: "" };
  }
}
