import { nodeId, type View } from "../site.ts";
import { type Account, accountOf, appOf } from "../state.ts";
import type { Schema } from "./schema.ts";

/** A bot's addresses contain `%5Bbot%5D`, and its page is the page of its App. */
export function simpleUser(view: View, account: Account) {
  const url = `${view.apiUrl}/users/${encodeURIComponent(account.login)}`;
  const page =
    account.appId === null ? account.login : `apps/${view.state.apps.get(account.appId)?.slug ?? account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.kind, account.id),
    avatar_url: `${view.origin}/avatars/u/${account.id}`,
    gravatar_id: "",
    url,
    html_url: `${view.origin}/${page}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.kind,
    user_view_type: "public",
    site_admin: false,
  } satisfies Schema<"simple-user">;
}

export function userById(view: View, id: number) {
  return simpleUser(view, accountOf(view.state, id));
}

export function publicUser(view: View, account: Account) {
  const repositories = [...view.state.repositories.values()].filter(
    (one) => one.ownerId === account.id && !one.private,
  );
  return {
    ...simpleUser(view, account),
    name: account.name,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: repositories.length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  } satisfies Schema<"public-user">;
}

/** The App that wrote something, or null. */
export function writtenBy(view: View, appId: number | null) {
  return appId === null ? null : integration(view, appId);
}

export function integration(view: View, appId: number) {
  const app = appOf(view.state, appId);
  return {
    id: app.id,
    client_id: app.clientId,
    slug: app.slug,
    node_id: nodeId("Integration", app.id),
    owner: userById(view, app.ownerId),
    name: app.name,
    description: "",
    external_url: `${view.origin}/apps/${app.slug}`,
    html_url: `${view.origin}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: { ...app.grants } as Record<string, string>,
    events: [...app.events],
  } satisfies Schema<"integration">;
}
