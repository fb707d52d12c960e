/**
 * The App as GitHub registers it from a manifest. Pure.
 *
 * Source: https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
import { product } from "../../core/product.ts";
import { events, permissions } from "../permissions.ts";

export interface Manifest {
  name: string;
  url: string;
  /** Only the account that owns the App may install it. */
  public: false;
  hook_attributes: { url: string; active: true };
  redirect_url: string;
  default_permissions: Record<string, string>;
  default_events: string[];
}

export function manifestOf(given: { hookUrl: string; redirectUrl: string }): Manifest {
  return {
    name: "Baton",
    url: `https://github.com/${product.repository}`,
    public: false,
    hook_attributes: { url: given.hookUrl, active: true },
    redirect_url: given.redirectUrl,
    default_permissions: Object.fromEntries(
      permissions.filter(({ optional }) => optional !== true).map(({ name, access }) => [name, access]),
    ),
    default_events: events.map(({ name }) => name),
  };
}
