/**
 * Recognizes a generated file that nobody changed. Baton may refresh it. Any other file belongs to people.
 *
 * SE1 The last line holds a digest of the lines before it. Line endings do not count: git changes them.
 */
export type Digest = (text: string) => string;

const sealLine = /^# baton:setup ([0-9a-f]{16})$/;

export function seal(text: string, digest: Digest): string {
  const body = normalise(text);
  return `${body}# baton:setup ${digestOf(body, digest)}\n`;
}

export function isUntouched(text: string, digest: Digest): boolean {
  const lines = normalise(text).trimEnd().split("\n");
  const said = sealLine.exec(lines.pop() ?? "")?.[1];
  return said !== undefined && said === digestOf(normalise(lines.join("\n")), digest);
}

function digestOf(body: string, digest: Digest): string {
  return digest(body).slice(0, 16);
}

function normalise(text: string): string {
  return `${text.replaceAll("\r\n", "\n").trimEnd()}\n`;
}
