/**
 * Shapes of well-known tokens, for the redactor. Each pattern is bounded or begins at a fixed text, so the time is linear.
 * A token stands alone, or right after an escaped line end: in a JSON text, `\n` ends with a letter.
 */
export const vendorTokens: readonly RegExp[] = [
  // A token of the model proxy, for one attempt.
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))baton-[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g,
  // GitHub's tokens: classic, app, refresh, and the long installation tokens with a signed part.
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))gh[pousr]_[A-Za-z0-9_]{16,400}(?:\.[A-Za-z0-9_-]{10,2000}){0,2}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))github_pat_[A-Za-z0-9_]{20,255}/g,
  // Model vendors.
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))sk-(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,400}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))sk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,400}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))AIza[0-9A-Za-z_-]{30,60}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))gsk_[A-Za-z0-9]{40,80}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))xai-[A-Za-z0-9]{40,120}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))hf_[A-Za-z0-9]{30,60}/g,
  // Clouds and tools.
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))ya29\.[A-Za-z0-9_-]{20,400}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))xox[abeoprs]-[A-Za-z0-9-]{10,250}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))glpat-[A-Za-z0-9_.-]{18,80}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))npm_[A-Za-z0-9]{36,60}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))pypi-[A-Za-z0-9_-]{40,400}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))whsec_[A-Za-z0-9+/=]{16,200}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))dop_v1_[a-f0-9]{64}/g,
  /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,80}/g,
];

/** Values that are a secret only in their surroundings. Documentation is full of such text, so no push fails because of it. */
const secretPlaces: readonly RegExp[] = [
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

export const tokenShapes: readonly RegExp[] = [...vendorTokens, ...secretPlaces];
