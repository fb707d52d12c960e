/** The pages that set the App up, as HTML. Pure: every value is escaped. */
import type { PermissionNeed } from "../permissions.ts";
import type { Manifest } from "./manifest.ts";

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:760px;margin:32px auto;padding:0 16px}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #8884;padding:6px 10px;text-align:left;vertical-align:top}
button,input,select{font:inherit;padding:6px 14px;margin:4px 8px 4px 0}code{background:#8882;padding:1px 5px;border-radius:4px}
.note{border-left:4px solid #d29922;padding:4px 12px}.good{border-left:4px solid #1a7f37;padding:4px 12px}ol>li{margin:16px 0}`;

const escape = (text: string): string =>
  text.replaceAll(
    /[&<>"']/g,
    (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[one] ?? "",
  );

export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(title)}</title><style>${style}</style></head><body><h1>${escape(title)}</h1>${body}</body></html>`;
}

export interface RegisterView {
  manifest: Manifest;
  permissions: readonly PermissionNeed[];
  /** GitHub's pages. */
  webUrl: string;
  state: string;
  organization: string | null;
}

export function registerPage({ manifest, permissions, webUrl, state, organization }: RegisterView): string {
  const owner = organization === null ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const action = `${webUrl}${owner}/settings/apps/new?state=${encodeURIComponent(state)}`;
  const { hostname } = new URL(manifest.hook_attributes.url);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  const rows = permissions
    .filter(({ optional }) => optional !== true)
    .map(
      ({ name, access, reason, without }) =>
        `<tr><td>${escape(name)}</td><td>${access}</td><td>${escape(reason)}</td><td>${escape(without)}</td></tr>`,
    );
  return page(
    "Register Baton on GitHub",
    `<p>GitHub registers an App of your own. It is <b>private</b>: only ${organization === null ? "your account" : escape(organization)} can install it. GitHub sends events to <code>${escape(manifest.hook_attributes.url)}</code>.</p>
${isLocal ? `<p class="note">GitHub cannot reach this address, so no event would arrive. Open this page by the address that GitHub can reach, or start again with <code>WEBHOOK_PROXY_URL</code> set to a channel of smee.io, for trials.</p>` : ""}
<form method="post" action="${escape(action)}"><input type="hidden" name="manifest" value="${escape(JSON.stringify(manifest))}"><button>Register the App${organization === null ? "" : ` for ${escape(organization)}`}</button></form>
<form method="get" action="/"><input type="hidden" name="key" value="${escape(state)}"><label>For an organization: <input name="organization" value="${escape(organization ?? "")}" placeholder="its name"></label><button>Use this organization</button></form>
<h2>Permissions</h2><table><tr><th>Permission</th><th>Access</th><th>Why</th><th>Works without it</th></tr>${rows.join("")}</table>
<p>The App also hears of ${manifest.default_events.map((one) => `<code>${escape(one)}</code>`).join(", ")}.</p>`,
  );
}

export interface NextView {
  slug: string;
  appUrl: string;
  key: string;
  /** Names of variables, the first proposed. */
  keyNames: readonly string[];
  /** The variable that has a key. null: none. */
  keyIn: string | null;
  /** The test delivery, if the person asked for it. */
  delivery: { ok: boolean; says: string } | null;
}

export function nextPage({ slug, appUrl, key, keyNames, keyIn, delivery }: NextView): string {
  const hidden = `<input type="hidden" name="key" value="${escape(key)}">`;
  const keyPart =
    keyIn === null
      ? `<form method="post" action="/model-key">${hidden}<select name="name" aria-label="Variable">${keyNames.map((name) => `<option>${escape(name)}</option>`).join("")}</select><input name="value" type="password" autocomplete="off" aria-label="Key"><button>Keep the key in .env</button></form>`
      : `<p class="good"><code>${escape(keyIn)}</code> is set.</p>`;
  const told = delivery === null ? "" : `<p class="${delivery.ok ? "good" : "note"}">${escape(delivery.says)}</p>`;
  return page(
    `${slug} is registered`,
    `<p>Its id, key and webhook secret are in <code>.env</code>, which only this user can read. <a href="${escape(appUrl)}">The App's page</a></p>
<ol><li><b>A key for your agents' models.</b>${keyPart}</li>
<li><b>A test delivery.</b> GitHub sends one when it registers an App.${told}<form method="post" action="/delivery">${hidden}<button>Ask for it</button></form></li>
<li><b>Start Baton.</b> It then runs at this address.<form method="post" action="/start">${hidden}<button>Start</button></form></li></ol>`,
  );
}

export function startedPage({ appUrl, hasKey }: { appUrl: string; hasKey: boolean }): string {
  return page(
    "Baton starts",
    `<p>Next: <a href="${escape(appUrl)}/installations/new">install the App</a> on a repository. Baton opens a pull request there that sets it up. Then comment <code>/baton run</code> on an issue.</p>
${hasKey ? "" : `<p class="note">No model has a key yet. Add one to <code>.env</code>, and restart Baton.</p>`}<p><code>baton doctor</code> checks the whole installation.</p>`,
  );
}
