import type { News } from "../../ports/feed.ts";

/** The present listeners. One that throws does not keep the others from hearing. */
export class Listeners {
  readonly #all = new Set<(news: News) => void>();

  add(listener: (news: News) => void): () => void {
    this.#all.add(listener);
    return () => {
      this.#all.delete(listener);
    };
  }

  tell(news: News): void {
    const thrown: unknown[] = [];
    for (const listener of this.#all)
      try {
        listener(news);
      } catch (error) {
        thrown.push(error);
      }
    if (thrown.length > 0) throw thrown[0];
  }
}
