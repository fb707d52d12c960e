/**
 * Things by name, in the order in which they are given. A JavaScript object moves names that look like integers to its front,
 * so whoever has such names and minds their order gives a `Map`.
 */
export type Named<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T>;

export function entriesOf<T>(named: Named<T>): [string, T][] {
  return named instanceof Map ? [...(named as ReadonlyMap<string, T>)] : Object.entries(named as Record<string, T>);
}
