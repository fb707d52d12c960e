/**
 * The scan of what leaves by git: Baton's own values in all forms of the redactor, and token shapes of secretlint's rules.
 *
 * SS1 A rule that reads comments of the text is left out: the text's author must not switch the scan off.
 * SS2 Placeholders of documentation are not tokens.
 */
import { lintSource } from "@secretlint/core";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretHit, SecretScan } from "../../ports/secret-scan.ts";
import { createFinder } from "../../text/redact.ts";
import { vendorTokens } from "../../text/token-shapes.ts";

const used = rules
  .filter(({ meta }) => meta.id !== "@secretlint/secretlint-rule-filter-comments")
  .map((rule) => ({ id: rule.meta.id, rule }));
const privateKey = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s){1,4}[A-Za-z0-9+/=]{40}/g;
const placeholder = /example|sample|dummy|placeholder|your[-_]|x{6}|0{8}|\*{4}|\.{3}|<[^>]*>/i;

export function createSecretScan(secrets: readonly string[]): SecretScan {
  const findOwn = createFinder(secrets);
  return {
    async find(text) {
      const hits: SecretHit[] = findOwn(text).map((place) => ({
        ...place,
        kind: "a secret of Baton's own",
        own: true,
      }));
      for (const [pattern, kind] of [
        ...vendorTokens.map((shape) => [shape, "a token"] as const),
        [privateKey, "a private key"] as const,
      ])
        for (const { index, 0: found } of text.matchAll(pattern))
          if (!placeholder.test(found)) hits.push({ start: index, end: index + found.length, kind, own: false });
      const { messages } = await lintSource({
        source: { filePath: "change.txt", content: text, contentType: "text", ext: ".txt" },
        options: { noPhysicFilePath: true, config: { rules: used } },
      });
      for (const { range, ruleId } of messages) {
        const [start, end] = range;
        if (placeholder.test(text.slice(start, end))) continue;
        hits.push({ start, end, kind: `a secret (${ruleId.replace(/^.*rule-/, "")})`, own: false });
      }
      return hits;
    },
  };
}
