/**
 * The upper bound of a request's input tokens, before it is sent.
 *
 * IB1 A token is at least one byte of text. An earlier request of the same attempt may share text with this one. The
 *     service's own count covers that text, so only new text counts by its bytes.
 * IB2 The largest window bounds content that a request only refers to (files, stored conversations, tools of the
 *     service).
 */
import { limits } from "../../core/limits.ts";
import { type Fields, fields, text } from "../model-service/fields.ts";

/** The tokens that services add to a request: words about tools, marks between messages, a token cut in two. */
const addedTokens = 2_048;
/** Agents alternate between a main conversation and small side questions. */
const rememberedMax = 4;

export interface Input {
  model: string;
  /** The request without the bytes of its images. */
  text: Buffer;
  images: number;
  /** It refers to content that it does not hold. */
  refers: boolean;
  /** It asks for a cache that lasts an hour. */
  longCache: boolean;
}

/**
 * The price of an hour in the cache, relative to five minutes:
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export const longCacheFactor = 1.6;

export function inputOf(model: string, body: Fields, bytes: Buffer, serverTools: boolean): Input {
  const found = { images: 0, refers: serverTools };
  const isPlain = !look(body, found);
  // The bytes of an image do not show its tokens.
  const stripped = isPlain ? bytes : Buffer.from(JSON.stringify(body, withoutImages));
  return {
    model,
    text: stripped,
    images: found.images,
    refers: found.refers || refers(body),
    longCache: bytes.includes('"ttl":"1h"'),
  };
}

export class InputBounds {
  readonly #known: { input: Input; tokens: number }[] = [];

  /** The service's count above the bound. The service adds more than Baton knows. */
  #excess = 0;

  boundOf(input: Input): number {
    return Math.ceil(this.#boundOf(input) * (input.longCache ? longCacheFactor : 1));
  }

  #boundOf(input: Input): number {
    if (input.refers) return limits.contextTokensMax;
    let bound = byBytes(input) + this.#excess;
    for (const { input: before, tokens } of this.#known) {
      if (before.model !== input.model) continue;
      const middle = input.text.length - common(before.text, input.text);
      const images = Math.max(0, input.images - before.images) + (middle > 0 ? Math.min(1, input.images) : 0);
      bound = Math.min(bound, tokens + middle + images * limits.imageTokensMax);
    }
    return Math.min(bound + addedTokens, limits.contextTokensMax);
  }

  /** The service's own count of a whole request. */
  learn(input: Input, tokens: number): void {
    if (tokens <= 0 || input.refers) return;
    this.#excess = Math.max(this.#excess, tokens - byBytes(input) - addedTokens);
    this.#known.unshift({ input, tokens });
    this.#known.splice(rememberedMax);
  }
}

function byBytes({ text: bytes, images }: Input): number {
  return bytes.length + images * limits.imageTokensMax;
}

/** The number of bytes at both ends that the two have in common. */
function common(before: Buffer, now: Buffer): number {
  const max = Math.min(before.length, now.length);
  const start = shared(max, (index) => before[index] === now[index]);
  const end = shared(max - start, (index) => before[before.length - 1 - index] === now[now.length - 1 - index]);
  return start + end;
}

function shared(max: number, same: (index: number) => boolean): number {
  let count = 0;
  while (count < max && same(count)) count += 1;
  return count;
}

const imageTypes = new Set(["image", "input_image", "image_url", "computer_screenshot"]);

/** True where an image was found. */
function look(value: unknown, found: { images: number; refers: boolean }): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.map((one) => look(one, found)).some(Boolean);
  const part = value as Fields;
  if (isImage(part)) {
    found.images += 1;
    return true;
  }
  if (isReference(part)) found.refers = true;
  return Object.values(part)
    .map((one) => look(one, found))
    .some(Boolean);
}

function isImage(part: Fields): boolean {
  const inline = fields(part["inlineData"] ?? part["inline_data"]);
  const mime = text(inline["mimeType"] ?? inline["mime_type"]);
  return imageTypes.has(text(part["type"]) ?? "") || mime?.startsWith("image/") === true;
}

const referenceTypes = new Set(["document", "file", "input_file", "input_audio", "container_upload", "item_reference"]);

/** Includes files within the request. A page of a packed document has more tokens than bytes. */
function isReference(part: Fields): boolean {
  const type = text(part["type"]) ?? "";
  if (type === "document" && text(fields(part["source"])["type"]) === "text") return false;
  return (
    referenceTypes.has(type) ||
    ["fileData", "file_data", "inlineData", "inline_data"].some((name) => typeof part[name] === "object")
  );
}

/** Conversations, prompts and caches that the service keeps. */
function refers(body: Fields): boolean {
  return ["previous_response_id", "conversation", "prompt", "cachedContent", "cached_content", "container"].some(
    (name) => body[name] !== undefined && body[name] !== null,
  );
}

function withoutImages(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !isImage(value as Fields)) return value;
  return { image: JSON.stringify(value).length };
}
