/**
 * What a harness is, without what it does: everything that lists, settings, documents and pure code must know of it.
 *
 * Owns: the shape. Does not own: starting programs (`definition.ts`). Pure: `descriptions.ts` may be imported from anywhere.
 * HD1 Every field is required: a harness with a part missing does not compile.
 */
import type { Provider, Tiers } from "../../config/models.ts";
import type { Tool } from "../../core/instructions.ts";
import type { Capability } from "../../core/vocabulary.ts";

/** Variables of the operator's environment that open a service. */
export interface KeyVariables {
  apiKey: string;
  /** In place of the key, where the CLI accepts a person's login. */
  login: string | null;
  /** Another address of the service. */
  baseUrl: string;
}

export interface HarnessDescription {
  name: string;
  /** As its maker calls it. */
  title: string;
  /** The service whose models it asks for; null: it brings its own. */
  provider: Provider | null;
  /** Null: Baton holds no key for it. */
  keys: KeyVariables | null;
  /** Program, unless the variable names another; null: the operator's or the repository's own. */
  program: { variable: string; name: string } | null;
  /** Package of npm that has the program; null: none is known. */
  npmPackage: string | null;
  /** Models that it asks for instead of its service's defaults (`config/models.ts`). */
  tiers: Partial<Tiers>;
  capabilities: Readonly<Record<Capability, boolean>>;
  /** Tools that its agent has, as Baton starts it; null: unknown, and prompts speak of none. */
  tools: Readonly<Record<"read-only" | "write", readonly Tool[]>> | null;
  /**
   * It may ask its models without Baton: what it used is known from its own reports, and no request can be stopped. Such harnesses
   * are named next to the budget.
   */
  selfReporting: boolean;
}

/** A CLI that Baton starts by the name of its program, with a key of its service. */
export interface CliDescription extends HarnessDescription {
  provider: Provider;
  keys: KeyVariables;
  program: { variable: string; name: string };
  npmPackage: string;
}

export function installLine({ npmPackage }: Pick<CliDescription, "npmPackage">): string {
  return `npm install --global ${npmPackage}`;
}
