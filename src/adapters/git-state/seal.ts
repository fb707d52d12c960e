/**
 * Bytes that nobody can read or change without the key. AES-256-GCM, with a key that scrypt derives from a salt of its
 * own.
 *
 * SL1 Each seal has its own salt and nonce. `context` is bound to it. A seal in another seal's place does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from "node:crypto";

const mark = Buffer.from("BATON-SEALED-1\n");
const [saltBytes, nonceBytes, tagBytes, keyBytes] = [16, 12, 16, 32];
/** RFC 7914's cost for interactive use, doubled: 32 MiB and about 0.1 s. */
const cost: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

export async function seal(passphrase: string, context: string, bytes: Uint8Array): Promise<Uint8Array> {
  const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)];
  const cipher = createCipheriv("aes-256-gcm", await derived(passphrase, salt), nonce);
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([mark, salt, nonce, cipher.getAuthTag(), body]);
}

/** Null: another key, another context, or changed bytes. */
export async function unseal(passphrase: string, context: string, sealed: Uint8Array): Promise<Uint8Array | null> {
  const bytes = Buffer.from(sealed);
  const ends = [saltBytes, nonceBytes, tagBytes].reduce((at, size) => [...at, (at.at(-1) ?? 0) + size], [mark.length]);
  const [saltAt = 0, nonceAt = 0, tagAt = 0, bodyAt = 0] = ends;
  if (bytes.length < bodyAt || !bytes.subarray(0, mark.length).equals(mark)) return null;
  const key = await derived(passphrase, bytes.subarray(saltAt, nonceAt));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(nonceAt, tagAt), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(tagAt, bodyAt));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]);
  } catch {
    return null;
  }
}

function derived(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, keyBytes, cost, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
