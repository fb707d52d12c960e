/** People, repositories, collaborators, and the requirements of a branch. */
import { canSee } from "../access.ts";
import { noContent, notFound, ok, Refusal } from "../answer.ts";
import { fullRepository, permissionFlags } from "../resources/repository.ts";
import { publicUser, simpleUser } from "../resources/user.ts";
import { listed, type RepositoryContext, repositoryRoute, route } from "../route.ts";
import { type BranchRule, rulesFor } from "../rules.ts";
import { type Account, accountOf, findAccount, ownerOf, type Role, roleOf } from "../state.ts";

/** The old four words. Only `role_name` shows triage and maintain. */
function legacyPermission(role: Role): string {
  if (role === "triage") return "read";
  return role === "maintain" ? "write" : role;
}

function viewerOf(context: { actor: RepositoryContext["actor"] }): number | null {
  return context.actor.kind === "user" ? context.actor.userId : null;
}

function collaborator(context: RepositoryContext, account: Account) {
  const role = roleOf(context.view.state, context.repository, account.id);
  return { ...simpleUser(context.view, account), permissions: permissionFlags(role), role_name: role };
}

function collaboratorsOf(context: RepositoryContext): Account[] {
  const { state } = context.view;
  const owner = ownerOf(state, context.repository);
  const ids = [...(owner.kind === "User" ? [owner.id] : owner.memberIds), ...context.repository.roles.keys()];
  return [...new Set(ids)]
    .filter((id) => roleOf(state, context.repository, id) !== "none")
    .map((id) => accountOf(state, id));
}

function namedAccount(context: RepositoryContext): Account {
  const account = findAccount(context.view.state, context.params["login"] ?? "");
  if (account === undefined) throw notFound();
  return account;
}

function requiredChecks(context: RepositoryContext) {
  const branch = context.params["branch"] ?? "";
  const rules = context.repository.protections.get(branch);
  if (rules === undefined) throw new Refusal(404, "Branch not protected");
  const { apiUrl } = context.view;
  const { owner, repo } = context.params;
  const url = `${apiUrl}/repos/${owner}/${repo}/branches/${encodeURIComponent(branch)}/protection/required_status_checks`;
  return {
    url,
    strict: false,
    contexts: rules.map((rule) => rule.context),
    contexts_url: `${url}/contexts`,
    checks: rules.map((rule) => ({ context: rule.context, app_id: rule.appId })),
  };
}

const secret = ([name, at]: [string, string]) => ({ name, created_at: at, updated_at: at });

/** Source: https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch */
function described(rule: BranchRule): object {
  switch (rule.type) {
    case "branch_name_pattern":
    case "commit_message_pattern":
      return { type: rule.type, parameters: { operator: "regex", pattern: rule.pattern } };
    case "pull_request":
      return {
        type: rule.type,
        parameters: {
          ...(rule.methods === undefined ? {} : { allowed_merge_methods: rule.methods }),
          dismiss_stale_reviews_on_push: false,
          require_code_owner_review: false,
          require_last_push_approval: false,
          required_approving_review_count: rule.approvals,
          required_review_thread_resolution: false,
        },
      };
    case "merge_queue":
      return {
        type: rule.type,
        parameters: {
          check_response_timeout_minutes: 60,
          grouping_strategy: "ALLGREEN",
          max_entries_to_build: 5,
          max_entries_to_merge: 5,
          merge_method: "MERGE",
          min_entries_to_merge: 1,
          min_entries_to_merge_wait_minutes: 5,
        },
      };
    case "update":
      return { type: rule.type, parameters: { update_allows_fetch_and_merge: true } };
    default:
      return { type: rule.type };
  }
}

export const repositoryRoutes = [
  route("GET /user", "anyone", (context) => {
    if (context.actor.kind === "anonymous") throw new Refusal(401, "Requires authentication");
    if (context.actor.kind !== "user") throw new Refusal(403, "Resource not accessible by integration");
    return ok(publicUser(context.view, accountOf(context.view.state, context.actor.userId)));
  }),
  route("GET /users/:login", "anyone", (context) => {
    const account = findAccount(context.view.state, context.params["login"] ?? "");
    if (account === undefined) throw notFound();
    return ok(publicUser(context.view, account));
  }),
  route("GET /user/:id", "anyone", (context) => {
    const account = context.view.state.accounts.get(Number(context.params["id"]));
    if (account === undefined) throw notFound();
    return ok(publicUser(context.view, account));
  }),
  route("GET /repositories/:id", "anyone", (context) => {
    const repository = context.view.state.repositories.get(Number(context.params["id"]));
    if (repository === undefined || !canSee(context.view.state, context.actor, repository)) throw notFound();
    return ok(fullRepository(context.view, repository, viewerOf(context)));
  }),
  repositoryRoute("GET ", "metadata:read", (context) =>
    ok(fullRepository(context.view, context.repository, viewerOf(context))),
  ),
  repositoryRoute("GET /collaborators", "metadata:read", (context) =>
    listed(context, collaboratorsOf(context), (account) => collaborator(context, account)),
  ),
  repositoryRoute("GET /collaborators/:login", "metadata:read", (context) => {
    const account = namedAccount(context);
    if (!collaboratorsOf(context).some((one) => one.id === account.id)) throw notFound();
    return noContent;
  }),
  repositoryRoute("GET /collaborators/:login/permission", "metadata:read", (context) => {
    const account = namedAccount(context);
    // Bots of Apps are not users, whatever grants the App has. Source:
    // https://github.com/anthropics/claude-code-action/pull/1030 (404)
    if (account.kind === "Bot") throw new Refusal(404, `${account.login} is not a user`);
    const role = roleOf(context.view.state, context.repository, account.id);
    return ok({ permission: legacyPermission(role), role_name: role, user: collaborator(context, account) });
  }),
  repositoryRoute("GET /rules/branches/*branch", "metadata:read", (context) => {
    const { repository } = context;
    // Source: https://github.com/github/branch-deploy/pull/345
    if (repository.private && repository.freePlan)
      throw new Refusal(403, "Upgrade to GitHub Pro or make this repository public to enable this feature.");
    const branch = context.params["branch"] ?? "";
    const source = {
      ruleset_source_type: "Repository" as const,
      ruleset_source: `${ownerOf(context.view.state, repository).login}/${repository.name}`,
      ruleset_id: repository.id,
    };
    const checks = (repository.rulesets.get(branch) ?? []).map((rule) => ({
      context: rule.context,
      ...(rule.appId === null ? {} : { integration_id: rule.appId }),
    }));
    const strict = repository.strictBranches.has(branch);
    const required =
      checks.length === 0 && !strict
        ? []
        : [
            {
              type: "required_status_checks" as const,
              parameters: { strict_required_status_checks_policy: strict, required_status_checks: checks },
              ...source,
            },
          ];
    return ok([...required, ...rulesFor(repository, branch).map((rule) => ({ ...described(rule), ...source }))]);
  }),
  repositoryRoute(
    "GET /actions/secrets",
    "secrets:read",
    (context) => listed(context, [...context.repository.secrets], secret, "secrets"),
    "write",
  ),
  repositoryRoute(
    "GET /actions/organization-secrets",
    "secrets:read",
    (context) => listed(context, [], secret, "secrets"),
    "write",
  ),
  repositoryRoute("GET /branches/:branch/protection/required_status_checks", "administration:read", (context) =>
    ok(requiredChecks(context)),
  ),
  repositoryRoute("GET /branches/:branch/protection", "administration:read", (context) => {
    const checks = requiredChecks(context);
    const url = checks.url.replace(/\/required_status_checks$/, "");
    return ok({
      url,
      required_status_checks: checks,
      enforce_admins: { url: `${url}/enforce_admins`, enabled: false },
      required_linear_history: { enabled: false },
      allow_force_pushes: { enabled: false },
      allow_deletions: { enabled: false },
    });
  }),
];
