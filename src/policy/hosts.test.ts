import { domainToASCII } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalAddress, readIpv4, readIpv6, whyNotPublic } from "./addresses.ts";
import {
  coversRule,
  type HostRule,
  hostRuleProblem,
  judgeHost,
  readEndpoint,
  readHost,
  readHostRule,
} from "./hosts.ts";

const rule = (text: string): HostRule => {
  const read = readHostRule(text);
  if (!read.ok) throw new Error(`${text}: ${read.problem}`);
  return read.value;
};

const passes = (rules: readonly HostRule[], text: string, defaultPort = 443): boolean => {
  const read = readEndpoint(text);
  return read.ok && judgeHost(rules, read.value.host, read.value.port ?? defaultPort).allowed;
};

describe("entries", () => {
  test.each([
    ["registry.test", "registry.test", false, [80, 443]],
    ["REGISTRY.Test.", "registry.test", false, [80, 443]],
    ["registry.test:8443", "registry.test", false, [8443]],
    ["*.registry.test", "registry.test", true, [80, 443]],
    ["*.registry.test:22", "registry.test", true, [22]],
    ["bücher.test", "xn--bcher-kva.test", false, [80, 443]],
    ["registry", "registry", false, [80, 443]],
    ["93.184.215.14", "93.184.215.14", false, [80, 443]],
    ["[2606:2800:0:0::1]:8080", "2606:2800::1", false, [8080]],
    ["a_b.test", "a_b.test", false, [80, 443]],
  ])("%s", (text, name, below, ports) => {
    expect(rule(text)).toMatchObject({ host: { name }, below, ports });
    expect(hostRuleProblem(text)).toBeNull();
  });

  test.each([
    ["", "it is empty"],
    ["*", "would allow every host"],
    ["*.", "empty"],
    ["*.com", "at least two parts"],
    ["*.com.", "at least two parts"],
    ["*.*.test", "only at the start"],
    ["registry.*", "only at the start"],
    ["*registry.test", "only at the start"],
    ["*.93.184.215.14", "not a"],
    ["*.[::1]", "in front of a name"],
    ["https://registry.test", "write only its host"],
    ["registry.test/path", "single hosts"],
    ["10.0.0.0/8", "single hosts"],
    ["10.0.0.1-10.0.0.9", "not a host name"],
    ["::1", "brackets"],
    ["[::1", "not"],
    ["[fe80::1%eth0]", "not an IPv6 address"],
    ["[::ffff:10.0.0.1]", "IPv4 address written as IPv6"],
    ["[127.0.0.1]", "not an IPv6 address"],
    ["user@registry.test", "`@`"],
    ["registry%2etest", "`%`"],
    ["registry..test", "empty"],
    [".registry.test", "empty"],
    ["registry.test..", "empty"],
    ["registry.test\0", "control characters"],
    ["registry.test\n", "control characters"],
    ["registry\u00ad.test", "invisible"],
    ["registry\u200d.test", "invisible"],
    ["regis try.test", "space"],
    ["-registry.test", "not a host name"],
    ["registry-.test", "not a host name"],
    [`${"a".repeat(64)}.test`, "not a host name"],
    [`${"a.".repeat(130)}test`, "too long"],
    ["127.1", "four decimal numbers"],
    ["0x7f.0.0.1", "four decimal numbers"],
    ["0177.0.0.1", "four decimal numbers"],
    ["2130706433", "four decimal numbers"],
    ["１２７.0.0.1", "four decimal numbers"],
    ["127.0.0.256", "not a host name"],
    ["registry.0x1", "not a host name"],
    ["registry.test:0", "from 1 to 65535"],
    ["registry.test:65536", "from 1 to 65535"],
    ["registry.test:0443", "from 1 to 65535"],
    ["registry.test:", "from 1 to 65535"],
    ["registry.test:https", "from 1 to 65535"],
    ["registry.test:443:80", "brackets"],
    ["xn--a\u0301.test", "not a host name"],
  ])("%j is refused: %s", (text, problem) => {
    expect(hostRuleProblem(text)).toContain(problem);
  });

  test("a refusal shows the entry without its control characters", () => {
    expect(hostRuleProblem("evil\u001b[31m.test")).toMatch(/^`evil�\[31m\.test` is not a host: [\x20-\x7e]+$/);
  });
});

describe("requests", () => {
  const rules = ["registry.test", "*.cdn.test", "git.test:22", "93.184.215.14", "[2606::1]:8080"].map(rule);

  test.each([
    "registry.test",
    "registry.test:80",
    "Registry.TEST.:443",
    "ｒegistry.test",
    "a.cdn.test",
    "a.b.cdn.test",
    "git.test:22",
    "93.184.215.14",
    "[2606:0:0::0:1]:8080",
  ])("%s passes", (text) => {
    expect(passes(rules, text)).toBe(true);
  });

  test.each([
    "registry.test:8080",
    "a.registry.test",
    "registry.test.evil.test",
    "evilregistry.test",
    "cdn.test",
    "evilcdn.test",
    ".cdn.test",
    "git.test",
    "a.93.184.215.14",
    "[2606::1]",
    "[::ffff:93.184.215.14]",
    "1572394766",
    "registry.test@evil.test",
    "evil.test#.cdn.test",
    "evil.test\0.cdn.test",
    "evil.test%00.cdn.test",
    "evil.test/.cdn.test",
    "evil.test\\.cdn.test",
    "evil.test?.cdn.test",
    "rеgistry.test",
    "registry.te\u017ft.evil",
  ])("%j does not", (text) => {
    expect(passes(rules, text)).toBe(false);
  });

  const near = fc.oneof(
    fc.constantFrom("registry.test", "Registry.Test", "a.cdn.test", "cdn.test", "evil.test", "93.184.215.14"),
    fc.constantFrom(
      "\0",
      ".",
      "..",
      "@",
      "%00",
      "%2e",
      "#",
      "/",
      "\\",
      "?",
      ":",
      ":443",
      "\u00ad",
      "\u200b",
      "。",
      " ",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.constantFrom("ｒ", "ſ", "K", "е", "test", "xn--", "[", "]", "::", "0x", "*", "-"),
  );
  const hostile = fc.array(near, { maxLength: 5 }).map((parts) => parts.join(""));

  test("nothing passes that does not equal a listed name after normalization", () => {
    const list = [rule("registry.test"), rule("*.cdn.test")];
    fc.assert(
      fc.property(hostile, (text) => {
        if (!passes(list, text)) return;
        // Node's own conversion of the rest without the port is the second opinion.
        const host = text.replace(/:(80|443)$/, "");
        const name = domainToASCII(host).replace(/\.$/, "");
        expect(name === "registry.test" || /^([a-z0-9_-]+\.)+cdn\.test$/.test(name)).toBe(true);
        expect(host).not.toMatch(/[\0-\x20@%#/\\?[\]]|\.\.|^\./);
      }),
      { numRuns: 5_000 },
    );
  });

  test("normalizing again changes nothing, and a name that was read passes its own entry", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          fc.domain(),
          fc.ipV4(),
          fc.ipV6().map((address) => `[${address}]`),
        ),
        (text) => {
          const read = readHost(text);
          if (!read.ok) return;
          const { name, kind } = read.value;
          const written = kind === "ipv6" ? `[${name}]` : name;
          expect(readHost(written)).toEqual(read);
          expect(passes([rule(written)], text)).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("every ordinary name is read", () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        expect(readHost(name)).toEqual({ ok: true, value: { name: name.toLowerCase(), kind: "name" } });
      }),
    );
  });
});

describe("an operator's bound", () => {
  const bound = ["registry.test", "*.cdn.test", "git.test:22", "[2606::1]"].map(rule);
  test.each([
    ["registry.test", true],
    ["registry.test:443", true],
    ["registry.test:22", false],
    ["*.registry.test", false],
    ["a.cdn.test", true],
    ["*.cdn.test", true],
    ["*.a.cdn.test", true],
    ["cdn.test", false],
    ["*.xcdn.test", false],
    ["git.test", false],
    ["git.test:22", true],
    ["[2606:0::1]:80", true],
    ["evil.test", false],
  ])("%s: %s", (entry, covered) => {
    expect(coversRule(bound, rule(entry))).toBe(covered);
  });
});

describe("addresses", () => {
  test.each([
    "93.184.215.14",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "168.63.129.17",
    "2606:4700::1111",
    "64:ff9b::101:101",
  ])("%s is public", (address) => expect(whyNotPublic(address)).toBeNull());

  test.each([
    ["0.1.2.3", "unspecified"],
    ["10.255.0.1", "private"],
    ["100.64.0.1", "shared by a carrier"],
    ["127.9.9.9", "loopback"],
    ["169.254.170.2", "link-local"],
    ["172.16.0.1", "private"],
    ["192.0.0.192", "reserved"],
    ["192.168.0.1", "private"],
    ["198.19.0.1", "for benchmarks"],
    ["239.1.1.1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["::", "unspecified"],
    ["0:0:0:0:0:0:0:1", "loopback"],
    ["::7f00:1", "reserved"],
    ["::ffff:93.184.215.14", "an IPv4 address in IPv6"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b:1::1", "a local NAT64 prefix"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["fd00::1", "private"],
    ["ff05::2", "multicast"],
    ["2001::1", "reserved"],
    ["2001:db8::1", "for documentation"],
    ["2002:a00:1::", "a 6to4 address"],
    ["fec0::1", "reserved"],
    ["4000::1", "reserved"],
    ["fe80::1%eth0", "not an address"],
    ["localhost", "not an address"],
    ["127.1", "not an address"],
    ["010.0.0.1", "not an address"],
  ])("%s is not: %s", (address, why) => {
    expect(whyNotPublic(address)).toBe(why);
  });

  test("spellings of one address are equal", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const groups = readIpv6(address);
        expect(groups).toHaveLength(8);
        const written = new URL(`http://[${address}]/`).hostname.slice(1, -1);
        expect(canonicalAddress(written)).toBe(canonicalAddress(address));
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(readIpv4(address)).toBeTypeOf("number");
      }),
    );
  });
});
