/** The forms in which GitHub says that an App reaches more or fewer repositories. */
import { expect, it } from "vitest";
import { toThreadEvent } from "./events.ts";

const installation = { id: 7, account: { login: "acme" } };
const api = { id: 1, node_id: "R_1", name: "api", full_name: "acme/api", private: true };
const common = { account: "acme", installationId: 7 };

it.each<[string, string, object, unknown]>([
  [
    "installed",
    "installation",
    { action: "created", installation, repositories: [api] },
    [{ kind: "added", ...common, repositories: [{ id: 1, name: "api" }] }],
  ],
  // The field is optional: https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation
  [
    "installed, without a list",
    "installation",
    { action: "created", installation },
    [{ kind: "added", ...common, repositories: null }],
  ],
  [
    "removed",
    "installation",
    { action: "deleted", installation, repositories: [api] },
    [{ kind: "removed", ...common, repositories: null }],
  ],
  [
    "more permissions",
    "installation",
    { action: "new_permissions_accepted", installation },
    [{ kind: "allowed", ...common }],
  ],
  ["works again", "installation", { action: "unsuspend", installation }, [{ kind: "allowed", ...common }]],
  [
    "a repository more",
    "installation_repositories",
    { action: "added", installation, repositories_added: [api], repositories_removed: [] },
    [{ kind: "added", ...common, repositories: [{ id: 1, name: "api" }] }],
  ],
  [
    "a repository less",
    "installation_repositories",
    { action: "removed", installation, repositories_added: [], repositories_removed: [api] },
    [{ kind: "removed", ...common, repositories: [{ id: 1, name: "api" }] }],
  ],
])("%s", (_, event, payload, news) => {
  expect(toThreadEvent(event, payload)).toEqual({ kind: "installation", news });
});

it.each<[string, string, object]>([
  ["suspended", "installation", { action: "suspend", installation }],
  [
    "nothing in it",
    "installation_repositories",
    { action: "added", installation, repositories_added: [], repositories_removed: [] },
  ],
  [
    "an enterprise, which has no login",
    "installation",
    { action: "created", installation: { id: 7, account: { slug: "acme" } } },
  ],
  [
    "a name that no account has",
    "installation",
    { action: "created", installation: { id: 7, account: { login: "a/b" } } },
  ],
])("ignored: %s", (_, event, payload) => {
  expect(toThreadEvent(event, payload).kind).toBe("ignored");
});
