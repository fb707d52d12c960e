import { describe, expect, it } from "vitest";
import { createSecretScan } from "./secret-scan.ts";

const own = "baton-own-webhook-k7Qm2Zx9Lp4vB8nR3t";
const scan = createSecretScan([own]);
const letters = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
const token = `ghp_${letters}`;
const rows = ["MIIEpAIBAAKCAQEA7bq3kD5s0aJ8fV1wXy2Zt4Ru6Po9Lm3Nk7Qh", letters.repeat(2)];
const key = (fields: readonly string[] = [], kind = "RSA PRIVATE KEY"): string[] => [
  `-----BEGIN ${kind}-----`,
  ...fields,
  ...rows,
  `-----END ${kind}-----`,
];
const lines = (write: (line: string) => string, of = key()): string => of.map(write).join("\n");

describe("secret-in-files-and-names: what a file may look like", () => {
  it.each([
    ["a token alone", token],
    ["a token in JSON, after a line end", JSON.stringify({ log: `x\n${token}` })],
    ["a token in UTF-16, as some editors save", Buffer.from(token, "utf16le").toString("utf8")],
    ["a token cut by zero-width characters", [...token].join("\u200b")],
    ["a token in color", `\u001b[31m${token}\u001b[0m`],
    ["a token in a percent-encoded query", `a%3D${token}`],
    ["a token, escaped", [...token].map((one) => `\\x${one.charCodeAt(0).toString(16)}`).join("")],
    ["a key", lines((line) => line)],
    ["a key within JSON", JSON.stringify(lines((line) => line))],
    ["a key, indented", lines((line) => `    ${line}`)],
    ["a key in a comment", lines((line) => `# ${line}`)],
    ["a key as a sum of strings", lines((line) => `"${line}\\n" +`)],
    ["an encrypted key", lines((line) => line, key(["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,AB12", ""]))],
    ["a key of PGP", lines((line) => line, key(["Version: GnuPG v2", ""], "PGP PRIVATE KEY BLOCK"))],
    ["a value of Baton's own, in parts", `a = "${own.slice(0, 14)}"; b = "${own.slice(14)}"`],
    ["a value of Baton's own, half of it escaped", `${own.slice(0, 12)}%62%68${own.slice(14)}`],
  ])("%s is found", async (_, text) => {
    expect(await scan.find(`first line\n${text}\nlast line`)).not.toEqual([]);
  });

  it.each([
    ["the first line of a key in a document", "Paste it below `-----BEGIN PRIVATE KEY-----` and save."],
    [
      "a placeholder of a key",
      lines((line) => line, ["-----BEGIN PRIVATE KEY-----", "...", "-----END PRIVATE KEY-----"]),
    ],
    ["a placeholder of a token", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ["a public key", lines((line) => line, key([], "PUBLIC KEY"))],
    ["hashes", `sha256-${letters} ${"ab12".repeat(16)}`],
  ])("%s is none", async (_, text) => {
    expect(await scan.find(text)).toEqual([]);
  });
});
