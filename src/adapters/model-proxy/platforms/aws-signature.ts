/**
 * AWS Signature Version 4, for requests whose body is at hand.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto";

export interface AwsKeys {
  accessKeyId: string;
  secretAccessKey: string;
  /** null: the keys do not expire. */
  sessionToken: string | null;
}

export interface Signed {
  method: string;
  url: URL;
  /** Without `host`, which always is part of the signature. */
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
  region: string;
  service: string;
}

/** The headers to add: the time, the session, and the signature over all of them and `headers`. */
export function awsSignature(
  { method, url, headers, body, region, service }: Signed,
  { accessKeyId, secretAccessKey, sessionToken }: AwsKeys,
  at: Date,
): Record<string, string> {
  const time = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const added = { "x-amz-date": time, ...(sessionToken === null ? {} : { "x-amz-security-token": sessionToken }) };
  const signed = Object.entries({ ...headers, ...added, host: url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/ +/g, " ")] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  // Every service except the storage encodes each part of the path twice: the address has it once.
  const path = url.pathname.split("/").map(encoded).join("/");
  const query = [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");
  const canonical = [
    method,
    path,
    query,
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    sha256(body),
  ];
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical.join("\n"))].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, toSign).toString("hex");
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** As RFC 3986 has it: JavaScript leaves five more characters as they are. */
function encoded(part: string): string {
  return encodeURIComponent(part).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
