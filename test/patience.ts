/** A test gives up after this time. It is far more than the slowest machine needs, because a slow machine is not a failure. */
export const patienceMs = 300_000;
