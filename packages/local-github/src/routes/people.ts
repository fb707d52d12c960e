import type { RepositoryContext } from "../route.ts";
import { atLeast, type Role, roleOf } from "../state.ts";

/** Whether the caller, as an account, has at least this role in the repository of the path. */
export function atLeastIn(context: RepositoryContext, role: Role): boolean {
  return atLeast(roleOf(context.site.state, context.repository, context.doer.accountId), role);
}
