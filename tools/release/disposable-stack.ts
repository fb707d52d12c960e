/** Node 22 has `Symbol.asyncDispose` but not the stack of ES2026. This adds the part that Baton uses. */
class Stack implements AsyncDisposable {
  #undo: (() => unknown)[] = [];
  use<T extends AsyncDisposable | Disposable>(value: T): T {
    this.defer(() => (Symbol.asyncDispose in value ? value[Symbol.asyncDispose]() : value[Symbol.dispose]()));
    return value;
  }
  defer(undo: () => unknown): void {
    this.#undo.push(undo);
  }
  move(): Stack {
    const moved = new Stack();
    moved.#undo = this.#undo.splice(0);
    return moved;
  }
  async disposeAsync(): Promise<void> {
    const errors: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.disposeAsync();
  }
}

(globalThis as { AsyncDisposableStack?: unknown }).AsyncDisposableStack ??= Stack;
