/**
 * Paths outside an attempt's own directories that its tool calls name.
 *
 * Without a sandbox nothing stops such a call, so people are at least told. It is a hint from the agent's own report, not a proof.
 */
import { isAbsolute, relative, resolve } from "node:path";
import { limits } from "../../core/limits.ts";
import type { HarnessEvent } from "../../ports/harness.ts";

/** Read by every tool; naming one says nothing. */
const harmless = ["/usr", "/bin", "/lib", "/lib64", "/opt", "/dev/null", "/proc/self"];
const pathPattern = /(?:^|[\s"'`=:(])(~?\/(?!\/)[^\s"'`;|&<>(),]+|(?:\.\.\/)+[^\s"'`;|&<>(),]*)/g;

export class OutsidePaths {
  readonly #inside: readonly string[];
  readonly #tree: string;
  readonly #found = new Set<string>();

  /** The first is the working directory. */
  constructor(inside: readonly [string, ...string[]]) {
    this.#inside = inside;
    this.#tree = inside[0];
  }

  take(event: HarnessEvent): void {
    if (event.type !== "tool" || event.state !== "started") return;
    for (const [, path = ""] of event.detail.matchAll(pathPattern)) {
      if (this.#found.size >= limits.sandboxDenialsMax) return;
      if (path.startsWith("~/")) this.#found.add(path);
      else if (!this.#isInside(isAbsolute(path) ? resolve(path) : resolve(this.#tree, path))) this.#found.add(path);
    }
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
