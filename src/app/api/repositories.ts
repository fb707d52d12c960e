/** The repositories that the App reaches, by name. GitHub lists them page by page, so the list stays for a while. */
import type { Repository } from "../../core/vocabulary.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GithubApp } from "../../ports/github.ts";

const trustMs = 60_000;

export class Repositories {
  readonly #github: Pick<GithubApp, "repositories">;
  readonly #clock: Clock;
  #known: { at: number; list: Promise<Repository[]> } | null = null;

  constructor(github: Pick<GithubApp, "repositories">, clock: Clock) {
    this.#github = github;
    this.#clock = clock;
  }

  all(): Promise<Repository[]> {
    const now = this.#clock.now();
    if (this.#known !== null && now - this.#known.at < trustMs) return this.#known.list;
    const list = this.#github.repositories();
    this.#known = { at: now, list };
    // A failure is not worth remembering.
    list.catch(() => {
      this.#known = null;
    });
    return list;
  }

  /** null: the App does not reach it. GitHub's names are not case-sensitive. */
  async named(name: string): Promise<Repository | null> {
    const wanted = name.toLowerCase();
    return (await this.all()).find(({ owner, name: short }) => `${owner}/${short}`.toLowerCase() === wanted) ?? null;
  }
}
