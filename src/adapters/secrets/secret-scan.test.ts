import { describe, expect, it } from "vitest";
import { createRedactor, redactedText } from "../../text/redact.ts";
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

/** As the vendors issue them (`src/text/token-shapes.ts` names the sources). */
const issued: Record<string, string> = {
  "GitHub, classic": token,
  "GitHub, refresh": `ghr_${letters}${letters}`,
  "GitHub, installation": `ghs_${letters}`,
  "GitHub, installation with a signed part": `ghs_1234567_eyJ${letters}.eyJ${letters}.${letters}`,
  "GitHub, fine-grained": `github_pat_${letters.slice(0, 22)}_${letters}${letters.slice(0, 23)}`,
  Anthropic: `sk-ant-api03-${letters}-${letters}_${letters.slice(0, 19)}AA`,
  "Anthropic, of a subscription": `sk-ant-oat01-${letters}-${letters}_${letters.slice(0, 19)}AA`,
  OpenAI: `sk-proj-${letters}_${letters}T3BlbkFJ${letters}-${letters}`,
  "OpenAI, before projects": `sk-${letters.slice(0, 20)}T3BlbkFJ${letters.slice(3, 23)}`,
  OpenRouter: `sk-or-v1-${"0a1b2c3d4e5f6789".repeat(4)}`,
  "a service that speaks as OpenAI": "sk-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  Google: `AIzaSy${letters.slice(0, 33)}`,
  Slack: "xoxb-781236542736-2364535789652-GkwFDQoHqzXDVsC6GzqYUypD",
  "Slack, of a person": "xoxp-41684372915-1320496754-45609968301-e708ba56e1517a99f6b5fb07349476ef",
  GitLab: "glpat-Zx9Lp4vB8nR3tk7Qm2_-",
  npm: `npm_${letters}`,
  PyPI: `pypi-AgEIcHlwaS5vcmc${letters}${letters}`,
  Stripe: `sk_live_${letters.slice(0, 24)}`,
  SendGrid: `SG.${letters.slice(0, 22)}.${letters}${letters.slice(0, 7)}`,
  AWS: "AKIAIOSFODNN7ABCDEFG",
  "Amazon Bedrock": `ABSK${letters.repeat(4).slice(0, 128)}`,
};

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

  it.each(Object.entries(issued))("a token as %s issues it is found", async (_, one) => {
    expect(await scan.find(`key = "${one}"`)).not.toEqual([]);
    expect(createRedactor({ secrets: [] })(`key = "${one}"`)).toBe(`key = "${redactedText}"`);
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
    // Names that spinners, stores, tests and documents use.
    [
      "a class of a spinner",
      "sk-loading-spinner-3-container sk-fading-circle-with-12-dots sk-cube-grid-9-is-on-at-last",
    ],
    ["a name in code", "const ghs_server_to_server = ghs_serverToServerToken;"],
    [
      "a token of a test",
      'token: "xoxb-local-test", other: "xoxb-local-test-0001", third: "xoxp-1-2-3-not-a-token-at-all"',
    ],
    ["a name of a person's token", "glpat-personal-access-token glpat-my-personal-acc-tkn"],
    [
      "a name of a key",
      "sk_live_abcdefghijklmnopqrst whsec_webhookSecretForTests sk-proj-template-components-for-the-loading",
    ],
    ["a name of a file", "SG.some-long-name-here.another-long-name ya29.some-long-name-of-a-chapter-in-a-document"],
    [
      "an action and a setting",
      "pypi-publish-action-with-a-name-of-more-than-forty-letters npm_config_registry_with_a_long_name_1",
    ],
  ])("%s is none", async (_, text) => {
    expect(await scan.find(text)).toEqual([]);
  });
});
