/** A test gives up after this. It is far beyond what the slowest machine needs: a slow machine is not a failure. */
export const patienceMs = 300_000;
