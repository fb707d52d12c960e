/** Placeholder until the table of registries lands. */
const presets: Readonly<Record<string, readonly string[]>> = { npm: ["registry.npmjs.org"] };
export const expandHosts = (listed: readonly string[]): string[] => listed.flatMap((one) => presets[one] ?? [one]);
export const presetOf = (host: string): string | null =>
  Object.entries(presets).find(([, hosts]) => hosts.includes(host))?.[0] ?? null;
