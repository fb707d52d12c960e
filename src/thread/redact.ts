/**
 * The one redactor: everything that leaves (comments, checks, logs, prompts, transcripts, pull requests) passes it.
 *
 * H4 Known values are removed in the forms in which they leak: plain, base64, hex, URL-encoded, reversed, and cut by white space.
 * Patterns of well-known tokens are removed also when nobody told us of them. All patterns are linear.
 */
export const redactedText = "[redacted]";

/** Shorter values would black out ordinary words. */
const secretCharactersMin = 8;

const patterns: RegExp[] = [
  /\bgh[pousr]_[A-Za-z0-9]{20,255}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,255}\b/g,
  /\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,255}/g,
  /\bAIza[0-9A-Za-z_-]{30,60}\b/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bxox[abprs]-[A-Za-z0-9-]{10,200}\b/g,
  /\bglpat-[A-Za-z0-9_-]{18,60}\b/g,
  /\bnpm_[A-Za-z0-9]{36}\b/g,
  /\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
  /(?<=[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/:@]{1,200}:[^\s/@]{3,400}(?=@)/gi,
  /(?<=\bauthorization: ?(?:basic|bearer|token) )[A-Za-z0-9+/=._~-]{8,4000}/gi,
];

export interface RedactorOptions {
  secrets: readonly string[];
  /** Encodings of the host; pure folders have none of their own. */
  encode: { base64(text: string): string; hex(text: string): string };
}

export function createRedactor({ secrets, encode }: RedactorOptions): (text: string) => string {
  const values = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < secretCharactersMin) continue;
    values.add(secret);
    values.add([...secret].reverse().join(""));
    values.add(encodeURIComponent(secret));
    values.add(encode.hex(secret));
    values.add(encode.hex(secret).toUpperCase());
    // Base64 of a longer text holds the secret at one of three alignments; the inner part is the same.
    for (const prefix of ["", "x", "xx"]) {
      const encoded = encode.base64(prefix + secret);
      const inner = encoded.slice(prefix.length === 0 ? 0 : 4, encoded.length - 4);
      if (inner.length < secretCharactersMin) continue;
      values.add(inner);
      values.add(inner.replaceAll("+", "-").replaceAll("/", "_"));
    }
    if (secret.includes("\n")) for (const line of secret.split("\n")) if (line.length >= 20 && !line.startsWith("-----")) values.add(line);
  }
  // Longer first, so that a value is not cut by one that it contains.
  const ordered = [...values].sort((a, b) => b.length - a.length);
  const spaced = secrets.filter((secret) => secret.length >= secretCharactersMin && secret.length <= 400).map(spacedPattern);
  return (text) => {
    let clean = text;
    for (const value of ordered) if (clean.includes(value)) clean = clean.replaceAll(value, redactedText);
    for (const pattern of spaced) clean = clean.replace(pattern, redactedText);
    for (const pattern of patterns) clean = clean.replace(pattern, redactedText);
    return clean;
  };
}

/** The secret with white space or invisible characters between its characters. */
function spacedPattern(secret: string): RegExp {
  const gap = "[\\s\\u200b-\\u200f\\u2060\\ufeff]{0,3}";
  return new RegExp([...secret].map((character) => character.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join(gap), "g");
}
