/** `BATON_OWNERS`: whether this Baton serves an account. `owners`: in lower case. null: it serves all. */
export function isServed(owners: readonly string[] | null | undefined, account: string): boolean {
  return owners == null || owners.includes(account.toLowerCase());
}
