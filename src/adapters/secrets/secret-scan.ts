/**
 * Scans everything that leaves by git. It looks for Baton's own values in all forms of the redactor, and for token
 * shapes of secretlint's rules.
 *
 * SS1 Rules that obey comments of the text are omitted. The text's author must not switch the scan off.
 * SS2 Placeholders of documentation are not tokens, and neither are names in code that begin like one.
 */
import { lintSource } from "@secretlint/core";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretHit, SecretScan } from "../../ports/secret-scan.ts";
import { createFinder, findIn } from "../../text/redact.ts";
import { matchesOf, readsAsWords, vendorTokensIn } from "../../text/token-shapes.ts";

const used = rules
  .filter(({ meta }) => meta.id !== "@secretlint/secretlint-rule-filter-comments")
  .map((rule) => ({ id: rule.meta.id, rule }));
/** Between the key's first line and its letters: line ends, quotes or comment marks, and the key's own fields. */
const privateKey =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[\s"'`+,>#*|/\\;]|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): [^\n]{0,100}\n){1,60}[A-Za-z0-9+/=]{40}/g;
const placeholder = /example|sample|dummy|placeholder|your[-_]|x{6}|0{8}|\*{4}|\.{3}|<[^>]*>/i;
/** Without the address or the field around it. A password in an address may consist of words. */
const tokenOnly = /^[\w.+/=-]+$/;

export function createSecretScan(secrets: readonly string[]): SecretScan {
  const findOwn = createFinder(secrets);
  return {
    async find(text) {
      const hits: SecretHit[] = findOwn(text).map((place) => ({
        ...place,
        kind: "a secret of Baton's own",
        own: true,
      }));
      for (const [search, kind] of [
        [vendorTokensIn, "a token"],
        [(shown: string) => matchesOf(shown, [privateKey]), "a private key"],
      ] as const)
        for (const place of findIn(text, (shown) => real(shown, search(shown))))
          hits.push({ ...place, kind, own: false });
      const { messages } = await lintSource({
        source: { filePath: "change.txt", content: text, contentType: "text", ext: ".txt" },
        options: { noPhysicFilePath: true, config: { rules: used } },
      });
      for (const { range, ruleId } of messages) {
        const [start, end] = range;
        const found = text.slice(start, end);
        if (placeholder.test(found) || (tokenOnly.test(found) && readsAsWords(found))) continue;
        hits.push({ start, end, kind: `a secret (${ruleId.replace(/^.*rule-/, "")})`, own: false });
      }
      return hits;
    },
  };
}

function real(text: string, places: { start: number; end: number }[]): { start: number; end: number }[] {
  return places.filter(({ start, end }) => !placeholder.test(text.slice(start, end)));
}
