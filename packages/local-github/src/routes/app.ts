/** An App's calls as itself: its identity, its installations, tokens, missed deliveries. */
import { z } from "zod";
import { credentialFrom } from "../access.ts";
import { badCredentials, created, noContent, notFound, ok, Refusal } from "../answer.ts";
import { createInstallationToken, reached } from "../deeds/accounts.ts";
import { appObject, hookDelivery, hookDeliveryItem, installation, installationToken } from "../resources/app.ts";
import { repositoryObject } from "../resources/repository.ts";
import { integration } from "../resources/user.ts";
import type { Context } from "../route.ts";
import { bodyOf, listed, page, route } from "../route.ts";
import { type App, appOf, covers, findAccount, type Grants, type Installation } from "../state.ts";

function appOfCaller(context: Context): App {
  if (context.actor.kind !== "app") throw new Refusal(401, "A JSON web token could not be decoded");
  return context.actor.app;
}

function installationsOf(context: Context): Installation[] {
  const app = appOfCaller(context);
  return [...context.view.state.installations.values()].filter((one) => one.appId === app.id);
}

function installationOf(context: Context): Installation {
  const found = installationsOf(context).find((one) => one.id === Number(context.params["id"]));
  if (found === undefined) throw notFound();
  return found;
}

const tokenRequest = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.number()).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write"])).optional(),
});

/** A token may have less than its installation, never more. */
function narrow(context: Context, one: Installation) {
  const wanted = bodyOf(context, tokenRequest);
  const grants: Grants = { ...(wanted.permissions ?? one.grants), metadata: "read" };
  for (const [area, level] of Object.entries(grants)) {
    const has = one.grants[area];
    if (has !== "write" && has !== level) {
      throw new Refusal(422, "The permissions requested are not granted to this installation.");
    }
  }
  if (wanted.repositories === undefined && wanted.repository_ids === undefined) return { grants, repositoryIds: null };
  const all = reached(context.site, one);
  const byName = (wanted.repositories ?? []).map((name) => all.find((repository) => repository.name === name)?.id);
  const byId = (wanted.repository_ids ?? []).map((id) => all.find((repository) => repository.id === id)?.id);
  const repositoryIds = [...byName, ...byId].map((id) => {
    if (id !== undefined) return id;
    throw new Refusal(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  });
  return { grants, repositoryIds };
}

function deliveriesOf(context: Context) {
  const app = appOfCaller(context);
  return context.site.deliveries.filter((one) => one.appId === app.id).toReversed();
}

/** The cursor is the id of the last delivery on the previous page. */
function deliveryPage(context: Context) {
  const { query, url } = context.request;
  const all = deliveriesOf(context);
  const cursor = query.get("cursor");
  const size = Math.min(100, Number(query.get("per_page") ?? 30) || 30);
  const from = cursor === null ? 0 : all.findIndex((one) => `v1_${one.id}` === cursor) + 1;
  const some = all.slice(from, from + size);
  const last = some.at(-1);
  if (last === undefined || from + size >= all.length) return { some, headers: {} };
  const next = new URL(url);
  next.searchParams.set("cursor", `v1_${last.id}`);
  return { some, headers: { link: `<${next.href}>; rel="next"` } };
}

export const appRoutes = [
  // The answer has permissions, events and the number of installations. "Returns the GitHub App associated with the
  // authentication credentials used": https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app
  route("GET /app", "app", (context) => ok(appObject(context.view, appOfCaller(context)))),
  // https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app
  route("GET /app/installations", "app", (context) =>
    listed(context, installationsOf(context), (one) => installation(context.view, one)),
  ),
  route("GET /app/installations/:id", "app", (context) => ok(installation(context.view, installationOf(context)))),
  // Source: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
  route("POST /app/installations/:id/access_tokens", "app", (context) => {
    const one = installationOf(context);
    if (one.suspendedAt !== null) throw new Refusal(403, "This installation has been suspended");
    return created(installationToken(context.view, createInstallationToken(context.site, one, narrow(context, one))));
  }),
  route("GET /app/hook/deliveries", "app", (context) => {
    const { some, headers } = deliveryPage(context);
    return { status: 200, headers, body: some.map(hookDeliveryItem) };
  }),
  route("GET /app/hook/deliveries/:id", "app", (context) => {
    const found = deliveriesOf(context).find((one) => one.id === Number(context.params["id"]));
    if (found === undefined) throw notFound();
    return ok(hookDelivery(found));
  }),
  // Source: https://docs.github.com/en/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook
  route("POST /app/hook/deliveries/:id/attempts", "app", (context) => {
    const found = deliveriesOf(context).find((one) => one.id === Number(context.params["id"]));
    if (found === undefined) throw notFound();
    context.site.redeliver(found);
    return { status: 202, body: {} };
  }),
  route("GET /app/hook/config", "app", (context) => {
    const { webhook } = appOfCaller(context);
    return ok({ content_type: "json", insecure_ssl: "0", secret: "********", url: webhook?.url ?? "" });
  }),
  route("GET /repos/:owner/:repo/installation", "app", (context) => {
    const found = installationsOf(context).find((one) =>
      reached(context.site, one).some(
        (repository) =>
          repository.name.toLowerCase() === context.params["repo"]?.toLowerCase() &&
          findAccount(context.view.state, context.params["owner"] ?? "")?.id === repository.ownerId &&
          covers(one, repository),
      ),
    );
    if (found === undefined) throw notFound();
    return ok(installation(context.view, found));
  }),
  ...(["orgs", "users"] as const).map((kind) =>
    route(`GET /${kind}/:login/installation`, "app", (context) => {
      const account = findAccount(context.view.state, context.params["login"] ?? "");
      const found = installationsOf(context).find((one) => one.accountId === account?.id);
      if (found === undefined) throw notFound();
      return ok(installation(context.view, found));
    }),
  ),
  // Without a token: the code is the proof, for one hour and once.
  // Source: https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest
  route("POST /app-manifests/:code/conversions", "anyone", (context) => {
    const codes = context.site.state.manifestCodes;
    const found = codes.get(context.params["code"] ?? "");
    if (found === undefined) throw notFound();
    codes.delete(context.params["code"] ?? "");
    const app = appOf(context.view.state, found.appId);
    return created({
      ...integration(context.view, found.appId),
      client_id: app.clientId,
      client_secret: app.clientSecret,
      webhook_secret: found.secret,
      pem: found.privateKey,
    });
  }),
  route("GET /apps/:slug", "anyone", (context) => {
    const app = [...context.view.state.apps.values()].find((one) => one.slug === context.params["slug"]);
    if (app === undefined) throw notFound();
    return ok(integration(context.view, app.id));
  }),
  route("GET /installation/repositories", "anyone", (context) => {
    const { actor } = context;
    if (actor.kind !== "installation") throw new Refusal(403, "Resource not accessible by integration");
    const all = reached(context.site, actor.installation).filter(
      (one) => actor.repositoryIds === null || actor.repositoryIds.includes(one.id),
    );
    const { items, headers } = page(context, all);
    const repositories = items.map((one) => repositoryObject(context.view, one));
    const body = { total_count: all.length, repository_selection: actor.installation.selection, repositories };
    return { status: 200, headers, body };
  }),
  // Source: https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token
  route("DELETE /installation/token", "anyone", (context) => {
    const credential = credentialFrom(context.request.headers["authorization"]);
    if (context.actor.kind !== "installation" || credential === null) throw badCredentials();
    context.site.state.tokens.delete(credential);
    return noContent;
  }),
];
