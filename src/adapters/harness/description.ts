/**
 * The identity of a harness without its behavior: everything that lists, settings, documents and pure code need.
 *
 * Owns: the shape. Does not own: starting programs (`definition.ts`). Pure: `descriptions.ts` may be imported from
 * anywhere.
 * HD1 Every field is required. A harness with a missing part does not compile.
 */
import type { Provider, Tiers } from "../../config/models.ts";
import type { Tool } from "../../core/instructions.ts";
import type { Capability } from "../../core/vocabulary.ts";

/** Variables of the operator's environment that give access to a service. */
export interface KeyVariables {
  apiKey: string;
  /** Replaces the key where the CLI accepts a person's login. */
  login: string | null;
  /** Another address of the service. */
  baseUrl: string;
}

export interface HarnessDescription {
  name: string;
  /** The maker's name for it. */
  title: string;
  /** The service of its models. Null: it brings its own. */
  provider: Provider | null;
  /** Null: Baton holds no key for it. */
  keys: KeyVariables | null;
  /** Its program, unless the variable names another. Null: the operator or the repository chooses the program. */
  program: { variable: string; name: string } | null;
  /** The npm package that has the program. Null: none is known. */
  npmPackage: string | null;
  /** The version of the package that the tests with real agents use. Null: there is no package. */
  testedVersion: string | null;
  /** Models that replace its service's defaults (`config/models.ts`). */
  tiers: Partial<Tiers>;
  capabilities: Readonly<Record<Capability, boolean>>;
  /** The tools of its agent, as Baton starts it. Null: unknown, and prompts mention none. */
  tools: Readonly<Record<"read-only" | "write", readonly Tool[]>> | null;
  /**
   * It may ask its models without Baton. Only its own reports show its usage, and Baton cannot stop a request. Baton
   * names such harnesses next to the budget.
   */
  selfReporting: boolean;
}

/** A CLI that Baton starts by the name of its program, with a key of its service. */
export interface CliDescription extends HarnessDescription {
  provider: Provider;
  keys: KeyVariables;
  program: { variable: string; name: string };
  npmPackage: string;
  testedVersion: string;
}

export function installLine({ npmPackage }: Pick<CliDescription, "npmPackage">): string {
  return `npm install --global ${npmPackage}`;
}
