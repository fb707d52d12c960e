/**
 * Paths outside an attempt's own directories that its tool calls name.
 *
 * Without a sandbox nothing stops such a call, so Baton at least reports it. In a sandbox the path does not exist.
 * Baton reports a failed call for it, with the setting that shows the path. Both are hints from the agent's own report,
 * not proofs.
 */
import { isAbsolute, relative, resolve } from "node:path";
import { limits } from "../../core/limits.ts";
import type { HarnessEvent } from "../../ports/harness.ts";

/** Every tool reads these paths, so naming one is harmless. */
const harmless = ["/usr", "/bin", "/lib", "/lib64", "/opt", "/dev/null", "/proc/self"];
const pathPattern = /(?:^|[\s"'`=:(])(~?\/(?!\/)[^\s"'`;|&<>(),]+|(?:\.\.\/)+[^\s"'`;|&<>(),]*)/g;

/** A sandbox has its own versions of these paths. */
const ownOfSandbox = ["/tmp", "/var/tmp", "/dev", "/proc"];

export class OutsidePaths {
  readonly #inside: readonly string[];
  readonly #tree: string;
  readonly #confined: boolean;
  readonly #found = new Set<string>();
  /** Paths of running tool calls, by call. */
  readonly #named = new Map<string, string[]>();

  /**
   * The first of `own` is the working directory. `readable`: additional paths that a sandbox shows. null: there is no
   * sandbox.
   */
  constructor(own: readonly [string, ...string[]], readable: readonly string[] | null = null) {
    this.#inside = [...own, ...(readable === null ? [] : [...readable, ...ownOfSandbox])];
    this.#tree = own[0];
    this.#confined = readable !== null;
  }

  take(event: HarnessEvent): void {
    if (event.type !== "tool") return;
    const named = event.state === "started" || event.detail !== "" ? this.#outside(event.detail) : [];
    if (!this.#confined) {
      if (event.state === "started") this.#add(named);
      return;
    }
    const { name } = event;
    if (event.state === "started") this.#named.set(name, [...(this.#named.get(name) ?? []), ...named]);
    else {
      if (event.state === "failed") this.#add([...(this.#named.get(name) ?? []), ...named]);
      this.#named.delete(name);
    }
  }

  #add(paths: readonly string[]): void {
    for (const path of paths) if (this.#found.size < limits.sandboxDenialsMax) this.#found.add(path);
  }

  #outside(detail: string): string[] {
    return [...detail.matchAll(pathPattern)].flatMap(([, path = ""]) => {
      // Inside the sandbox, the home is the attempt's own.
      if (path.startsWith("~/")) return this.#confined ? [] : [path];
      return this.#isInside(isAbsolute(path) ? resolve(path) : resolve(this.#tree, path)) ? [] : [path];
    });
  }

  get paths(): string[] {
    return [...this.#found];
  }

  #isInside(path: string): boolean {
    return [...this.#inside, ...harmless].some((directory) => {
      const from = relative(directory, path);
      return from === "" || (!from.startsWith("..") && !isAbsolute(from));
    });
  }
}
