/** Where the state lives: `refs/baton/*`, or branches below `baton-state/` on a host that accepts no other refs. */
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { StateRemote } from "./remote.ts";

export interface StateRefs {
  home: string;
  shared: string;
  /** A person makes this ref to confirm that the home ref was set back or removed on purpose. */
  accepted: string;
  namespace: string;
}

const preferredNamespace = "refs/baton/";
/**
 * Branches show in the user's list, so Baton uses them only as a fallback. One per thread, so that threads do not block
 * each other.
 */
const fallbackNamespace = "refs/heads/baton-state/";

export async function findRefs(options: {
  remote: StateRemote;
  home: string;
  now: number;
  log: Log;
  /** Only for reading. Where there is no state, Baton creates none and tries nothing. */
  readOnly: boolean;
}): Promise<StateRefs> {
  const { remote, home, log } = options;
  const refsOf = (namespace: string): StateRefs => ({
    namespace,
    home: `${namespace}${home}`,
    shared: `${namespace}shared`,
    accepted: `${namespace}accepted/${home}`,
  });
  const [preferred, fallback] = [refsOf(preferredNamespace), refsOf(fallbackNamespace)];
  const heads = await remote.heads([preferred.home, preferred.shared, fallback.home, fallback.shared]);
  if (heads.has(preferred.shared) || heads.has(preferred.home)) return preferred;
  if (heads.has(fallback.shared) || heads.has(fallback.home)) return fallback;
  if (options.readOnly) return preferred;
  const refusal = await probe(options, preferred.shared);
  if (refusal === null) return preferred;
  log.warn("The host takes no refs below refs/baton: the state is kept in branches", {
    branches: "baton-state/*",
    refusal,
  });
  return fallback;
}

/**
 * Starts the shared state with an empty commit. This first write shows whether the host accepts such refs, and costs no
 * extra push. Returns the host's words when it refuses, null when it accepts.
 */
async function probe({ remote, now }: { remote: StateRemote; now: number }, ref: string): Promise<string | null> {
  const [sha = ""] = await remote.commit([
    { parent: null, message: "Baton: the state begins\n", at: now, files: new Map() },
  ]);
  const written = await remote.push([{ ref, expected: null, sha }]);
  if (written.kind === "refused") return written.message;
  if (written.kind === "failed")
    throw new BatonError("BATON_GIT_FAILED", `The repository could not be written to: ${written.message}`);
  return null;
}
