/**
 * IP addresses: their canonical form, and which of them are on the public internet.
 *
 * HA1 An address is public only if it is ordinary global unicast. Anything special, reserved or unknown is not public.
 * Source: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
 */

/** Four octets in decimal without leading zeros. Here `0x7f.1`, `127.1` and `2130706433` are not addresses. */
export function readIpv4(text: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
  if (parts === undefined || parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith("0"))))
    return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Eight groups, from any valid spelling without brackets and without a zone. */
export function readIpv6(text: string): number[] | null {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(groupsOf);
  if (head === null || head === undefined || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? null : [...head, ...Array<number>(missing).fill(0), ...tail];
}

function groupsOf(half: string): number[] | null {
  if (half === "") return [];
  const groups: number[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    const embedded = index === parts.length - 1 ? readIpv4(part) : null;
    if (embedded !== null) groups.push(Math.floor(embedded / 65_536), embedded % 65_536);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

type Range = readonly [address: string, bits: number, name: string];

const special4: readonly Range[] = [
  ["0.0.0.0", 8, "unspecified"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by a carrier"],
  ["127.0.0.0", 8, "loopback"],
  // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  ["168.63.129.16", 32, "a cloud's metadata service"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "for documentation"],
  ["192.88.99.0", 24, "a 6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "for benchmarks"],
  ["198.51.100.0", 24, "for documentation"],
  ["203.0.113.0", 24, "for documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

const special6: readonly Range[] = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["::ffff:0:0", 96, "an IPv4 address in IPv6"],
  ["64:ff9b:1::", 48, "a local NAT64 prefix"],
  ["fc00::", 7, "private"],
  ["fe80::", 10, "link-local"],
  ["ff00::", 8, "multicast"],
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "for documentation"],
  ["2002::", 16, "a 6to4 address"],
  ["3fff::", 20, "for documentation"],
];

/** Why an address is not on the public internet, as in "is private". null: it is public (HA1). */
export function whyNotPublic(address: string): string | null {
  const ipv4 = readIpv4(address);
  if (ipv4 !== null) return whyNotPublic4(ipv4);
  const groups = readIpv6(address);
  if (groups === null) return "not an address";
  // NAT64 reaches the IPv4 address in the last 32 bits: https://www.rfc-editor.org/rfc/rfc6052#section-2.1
  if (inRange6(groups, "64:ff9b::", 96)) return whyNotPublic4((groups[6] ?? 0) * 65_536 + (groups[7] ?? 0));
  const found = special6.find(([range, bits]) => inRange6(groups, range, bits));
  if (found !== undefined) return found[2];
  return inRange6(groups, "2000::", 3) ? null : "reserved";
}

function whyNotPublic4(value: number): string | null {
  const found = special4.find(([range, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(value / size) === Math.floor((readIpv4(range) ?? 0) / size);
  });
  return found?.[2] ?? null;
}

function inRange6(groups: readonly number[], range: string, bits: number): boolean {
  const wanted = readIpv6(range) ?? [];
  return groups.every((group, index) => {
    const kept = Math.max(0, Math.min(16, bits - index * 16));
    const mask = (0xffff << (16 - kept)) & 0xffff;
    return (group & mask) === ((wanted[index] ?? 0) & mask);
  });
}

/** Equal for all spellings of one address. null: the text is not an address. */
export function canonicalAddress(text: string): string | null {
  if (readIpv4(text) !== null) return text;
  const groups = readIpv6(text);
  return groups === null ? null : groups.map((group) => group.toString(16)).join(":");
}
