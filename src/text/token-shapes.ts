/**
 * Shapes of well-known tokens, for the redactor and for the scan of commits.
 *
 * TS1 Each pattern is bounded or begins at a fixed text, so the time is linear.
 * TS2 A token stands alone, or right after an escaped line end: in a JSON text, `\n` ends with a letter.
 * TS3 Names in code begin like tokens, and consist of words. Only text that does not read as words is a token.
 */
import type { Place } from "./views.ts";

const begin = "(?:(?<![A-Za-z0-9])|(?<=\\\\[nrt]))";
const shape = (body: string): RegExp => new RegExp(`${begin}${body}`, "g");

/** Names in code are never as long without a sign between their words, or have no such letters. */
const ofOnePiece: readonly RegExp[] = [
  // A token of the HTTP API.
  shape("baton_pat_[a-z0-9]{12}_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
  // A token of the model proxy, for one attempt.
  shape("baton-[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
  // Installation tokens: the App's number and a signed part.
  // https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/
  shape("ghs_[A-Za-z0-9]{1,40}_eyJ[A-Za-z0-9_-]{10,2000}(?:\\.[A-Za-z0-9_-]{10,2000}){0,2}"),
  // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
  shape("github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{20,80}"),
  shape("gsk_[A-Za-z0-9]{40,80}"),
  shape("xai-[A-Za-z0-9]{40,120}"),
  // https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/huggingface.go
  shape("hf_[A-Za-z0-9]{30,60}"),
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
  shape("(?:AKIA|ASIA)[0-9A-Z]{16}\\b"),
  // Keys of Amazon Bedrock. https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/aws.go
  shape("ABSK[A-Za-z0-9+/]{109,269}"),
  shape("bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=_-]{0,4000}"),
  // https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/
  shape("npm_[A-Za-z0-9]{36,60}"),
  shape("dop_v1_[a-f0-9]{64}"),
];

/** Names in code may look like these: TS3. */
const likeNames: readonly RegExp[] = [
  // Classic, OAuth, App and refresh tokens of GitHub: 30 random letters and figures or more, and 6 of a checksum.
  // https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
  // Fewer are a token that a log cut off.
  shape("gh[pousr]_[A-Za-z0-9]{20,400}"),
  // Anthropic, OpenAI, OpenRouter, and the services that speak their language: `sk-` and 20 random characters or more.
  // https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/anthropic.go
  // https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/openai.go
  // https://openrouter.ai/docs/api-reference/authentication
  shape("sk-[A-Za-z0-9_-]{20,400}"),
  // Google. https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/gcp.go
  shape("AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
  shape("ya29\\.[A-Za-z0-9_-]{30,400}"),
  // Slack: numbers of the team and of the token's owner, then random characters. Refreshed tokens have a version instead.
  // https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/slack.go
  shape("(?:xoxe\\.)?xox[abdeoprs]-(?:\\d{1,14}-){1,4}[A-Za-z0-9%]{16,300}"),
  // GitLab: 20 characters, or 27 and more with a routing part.
  // https://docs.gitlab.com/security/tokens/#token-prefixes
  shape("glpat-[A-Za-z0-9_-]{18,300}(?:\\.[0-9a-z]{2}[0-9a-z]{7}|\\.[0-9a-z.]{2,20})?"),
  shape("pypi-[A-Za-z0-9_-]{50,400}"),
  // https://docs.stripe.com/keys
  shape("(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}"),
  shape("whsec_[A-Za-z0-9+/=]{16,200}"),
  // https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/sendgrid.go
  shape("SG\\.[A-Za-z0-9_-]{16,40}\\.[A-Za-z0-9_-]{16,80}"),
];

/** The largest part of a token that may read as words. 1 of 1,000 random values of 20 characters exceeds it, and 1 of 30,000 of 36. */
const wordsMax = 0.85;
const words = /[A-Z]?[a-z]{3,}|[A-Z]{4,}|(?<![A-Za-z0-9])(?:[a-z]{1,2}|[A-Z]{1,3}|\d{1,4})(?![A-Za-z0-9])/g;

/** TS3: `sk-loading-spinner-3-container` begins as a token does. */
export function readsAsWords(token: string): boolean {
  const body = token.replace(/^[A-Za-z]{1,10}[-_.]/, "");
  const letters = body.replaceAll(/[^A-Za-z0-9]/g, "").length;
  const inWords = body.match(words)?.join("").length ?? 0;
  return inWords > letters * wordsMax;
}

export function vendorTokensIn(text: string): Place[] {
  const named = matchesOf(text, likeNames).filter(({ start, end }) => !readsAsWords(text.slice(start, end)));
  return [...matchesOf(text, ofOnePiece), ...named];
}

export function matchesOf(text: string, shapes: readonly RegExp[]): Place[] {
  return shapes.flatMap((one) =>
    Array.from(text.matchAll(one), ({ index, 0: match }) => ({ start: index, end: index + match.length })),
  );
}

/** Values that are a secret only in their surroundings. Documentation is full of such text, so no push fails because of it. */
export const secretPlaces: readonly RegExp[] = [
  /(?<=(?:\b|\\[nrt])aws.{0,3}secret.{0,3}access.{0,3}key["']?\s{0,3}[:=]\s{0,3}["']?)[A-Za-z0-9/+]{40}/gi,
  /(?<=(?:\b|\\[nrt])AccountKey=)[A-Za-z0-9+/=]{40,120}/g,
  /(?<=(?:\b|\\[nrt])hooks\.slack\.com\/services\/)[A-Za-z0-9/]{20,120}/g,
  /(?<=(?:\b|\\[nrt])_(?:authToken|auth|password)\s?=\s?)[^\s"']{8,400}/g,
  /(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}/g,
  // `https://user:password@host`: the password. Without a password, a long user.
  /(?<=(?:\b|\\[nrt])[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/:@"'`<>]{0,200}:[^\s/@"'`<>]{3,400}(?=@)/gi,
  /(?<=(?:\b|\\[nrt])https?:\/\/)[A-Za-z0-9_-]{20,400}(?=@)/gi,
  /(?<=(?:\b|\\[nrt])authorization["']?\s{0,2}[:=]\s{0,2}["']?(?:basic|bearer|token|digest|aws4-hmac-sha256)\s{1,2})[^\s"',;]{8,4000}/gi,
  /(?<=(?:\b|\\[nrt])authorization["']?\s{0,2}[:=]\s{0,2}["']?)(?=[^\s"',;]{0,4000}\d)[^\s"',;]{8,4000}/gi,
  /(?<=(?:\b|\\[nrt])(?:x-api-key|api-key|x-goog-api-key|private-token|x-auth-token)["']?\s{0,2}[:=]\s{0,2}["']?)[A-Za-z0-9+/=._~-]{8,1000}/gi,
  /(?<=(?:\b|\\[nrt])(?:set-)?cookie:\s{0,2}[\w.-]{1,80}=)[^\r\n]{8,4000}/gi,
];
