/** Routes: a method, a path, its required permission, and a function from context to answer. */
import { z } from "zod";
import { type Actor, type Doer, isWrite, type Need } from "./access.ts";
import { type Answer, notFound, Refusal } from "./answer.ts";
import { isPull, type PullThread } from "./resources/pull-request.ts";
import type { Site, View } from "./site.ts";
import type { Repository, Role, Thread } from "./state.ts";

export interface ApiRequest {
  method: string;
  /** Without prefix, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: unknown;
  /** In the caller's spelling, for Link headers. */
  url: URL;
}

export interface Context {
  site: Site;
  /** Present state, or a past one when a fault requires it. All reads use it. */
  view: View;
  request: ApiRequest;
  actor: Actor;
  params: Record<string, string>;
}

export interface RepositoryContext extends Context {
  /** Belongs to the view. Writes happen on present views only, so there it is the live repository. */
  repository: Repository;
  doer: Doer;
}

export interface Route {
  method: string;
  path: string;
  pattern: RegExp;
  names: string[];
  /** `app`: only with the App's own JWT. `anyone`: no check. Otherwise a grant on the repository of the path. */
  need: Need;
  role: Role;
  handle: (context: RepositoryContext) => Answer | Promise<Answer>;
}

/** `:name` is one segment, `*name` one or more. */
function compile(path: string): { pattern: RegExp; names: string[] } {
  const names: string[] = [];
  const source = path
    .split("/")
    .map((segment) => {
      if (!/^[:*]/.test(segment)) return segment;
      names.push(segment.slice(1));
      return segment.startsWith(":") ? "([^/]+)" : "(.+)";
    })
    .join("/");
  return { pattern: new RegExp(`^${source}/?$`), names };
}

/** A route outside a repository. */
export function route(
  at: `${string} /${string}`,
  need: "app" | "anyone",
  handle: (context: Context) => Answer | Promise<Answer>,
): Route {
  const [method = "", path = ""] = at.split(" ");
  return { method, path, ...compile(path), need, role: "none", handle };
}

/**
 * A route below `/repos/:owner/:repo`. `role` is the role that a person needs. By default the level of the grant
 * decides.
 */
export function repositoryRoute(
  at: `${string} ${string}`,
  need: Need,
  handle: (context: RepositoryContext) => Answer | Promise<Answer>,
  role: Role = isWrite(need) ? "write" : "read",
): Route {
  const [method = "", below = ""] = at.split(" ");
  const path = `/repos/:owner/:repo${below}`;
  return { method, path, ...compile(path), need, role, handle };
}

export function matchRoute(routes: Route[], method: string, path: string) {
  for (const one of routes) {
    if (one.method !== method) continue;
    const match = one.pattern.exec(path);
    if (match === null) continue;
    const params = Object.fromEntries(one.names.map((name, index) => [name, decode(match[index + 1] ?? "")]));
    return { route: one, params };
  }
  return null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "Bad Request");
  }
}

/** The body by its schema, or 422 that names the first wrong field. */
export function bodyOf<T extends z.ZodType>(context: Context, schema: T): z.infer<T> {
  const parsed = schema.safeParse(context.request.body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "body";
  throw new Refusal(422, `Invalid request.\n\n"${field}": ${issue?.message ?? "is not valid"}`, {
    errors: parsed.error.issues.map((one) => ({ field: one.path.join("."), code: "invalid", message: one.message })),
  });
}

export function threadOf(context: RepositoryContext): Thread {
  const number = Number(context.params["number"]);
  const thread = context.repository.threads.get(number);
  // Source: https://docs.github.com/en/rest/issues/issues#get-an-issue (410)
  if (context.repository.deletedIssues.has(number)) throw new Refusal(410, "This issue was deleted");
  if (thread === undefined) throw notFound();
  return thread;
}

export function pullOf(context: RepositoryContext): PullThread {
  const thread = context.repository.threads.get(Number(context.params["number"]));
  if (!isPull(thread)) throw notFound();
  return thread;
}

/** One page of `items` and the Link header to the others. */
export function page<T>(context: Context, items: T[]): { items: T[]; headers: Record<string, string> } {
  const { query, url } = context.request;
  const wanted = Number(query.get("per_page") ?? 30);
  const size = Math.min(100, Math.max(1, Number.isFinite(wanted) && wanted > 0 ? wanted : 30));
  const number = Math.max(1, Number(query.get("page") ?? 1) || 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, name: string): string => {
    const target = new URL(url);
    target.searchParams.set("page", String(to));
    return `<${target.href}>; rel="${name}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, "prev")] : []),
    ...(number < last ? [link(number + 1, "next"), link(last, "last")] : []),
    ...(number > 1 ? [link(1, "first")] : []),
  ];
  return {
    items: items.slice((number - 1) * size, number * size),
    headers: links.length === 0 ? {} : { link: links.join(", ") },
  };
}

/** A paged answer: the bare list, or the list with its total under a name, as for checks and statuses. */
export function listed<T>(context: Context, items: T[], shape: (item: T) => unknown, name?: string): Answer {
  const { items: some, headers } = page(context, items);
  const list = some.map(shape);
  return { status: 200, headers, body: name === undefined ? list : { total_count: items.length, [name]: list } };
}
