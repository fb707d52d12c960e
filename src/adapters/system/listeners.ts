import type { News } from "../../ports/feed.ts";

/** Who watches. A listener that throws keeps no other from hearing. */
export class Listeners {
  readonly #all = new Set<(news: News) => void>();

  add(listener: (news: News) => void): () => void {
    this.#all.add(listener);
    return () => {
      this.#all.delete(listener);
    };
  }

  tell(news: News): void {
    for (const listener of this.#all) listener(news);
  }
}
