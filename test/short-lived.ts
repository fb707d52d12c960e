/**
 * Options of Node for a Baton that lives for seconds. Optimizing the code of its embedded database takes half of the CPU
 * time of such a start.
 */
export const shortLived = ["--liftoff-only"] as const;
