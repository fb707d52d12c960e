/**
 * Values by name, in the given order. A JavaScript object moves names that look like integers to its front. A caller
 * that has such names, and needs their order, passes a `Map`.
 */
export type Named<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T>;

export function entriesOf<T>(named: Named<T>): [string, T][] {
  return named instanceof Map ? [...(named as ReadonlyMap<string, T>)] : Object.entries(named as Record<string, T>);
}
