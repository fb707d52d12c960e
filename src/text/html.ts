/**
 * HTML within Markdown, as tokens with places. Owns: where a tag or comment begins and ends, and what it hides. Does not
 * own: a tree. A browser closes open elements. A caller here has to count them itself.
 */

export type HtmlToken =
  | { kind: "open"; name: string; attributes: Map<string, string>; start: number; end: number }
  | { kind: "close"; name: string; start: number; end: number }
  | { kind: "comment"; start: number; end: number }
  | { kind: "text"; start: number; end: number };

/** Elements that end with their start tag. */
export const voidElements: ReadonlySet<string> = new Set(
  "area base br col embed hr img input link meta param source track wbr".split(" "),
);

/** Elements that stay open over blank lines: their content is not the author's plain text. */
export const blockElements: ReadonlySet<string> = new Set(
  "address article aside blockquote button center dd details dialog dir div dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header iframe li main map math menu nav noembed noframes noscript object ol optgroup option picture plaintext pre script section select style sub summary sup svg table tbody td template textarea tfoot th thead title tr ul video xmp".split(
    " ",
  ),
);

/** Elements of running text that GitHub shows as elements. */
export const phraseElements: ReadonlySet<string> = new Set(
  "a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark p q rp rt ruby s samp small span strike strong time tt u var".split(
    " ",
  ),
);

/** Elements whose content nobody sees. */
const neverShown: ReadonlySet<string> = new Set(
  "script style template noscript noembed noframes iframe object applet svg math title head textarea select datalist audio video canvas xmp plaintext".split(
    " ",
  ),
);

const hidingStyle =
  /display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0*(?:[;\s!]|$)|font-size\s*:\s*(?:0|1px|0?\.\d)|(?:^|[;\s])(?:max-)?(?:width|height)\s*:\s*0|(?:left|top|text-indent|margin-left)\s*:\s*-\d{3,}|clip(?:-path)?\s*:\s*(?:rect\(0|inset\((?:50|100)%|circle\(0)|transform\s*:\s*scale\(0|(?:^|[;\s])color\s*:\s*(?:white|transparent|#fff(?:fff)?\b|rgba\([^)]{0,40},\s*0\s*\)|rgb\(\s*255\s*,\s*255\s*,\s*255)|content-visibility\s*:\s*hidden/i;
const hidingClass = /(?:^|\s)(?:sr-only|visually-hidden|hidden|d-none|invisible|screen-reader-text)(?:\s|$)/i;
const hidingColour = /^(?:white|transparent|#fff(?:fff)?)$/i;

/** True if a reader does not see the content between this tag and its end. */
export function hides(name: string, attributes: ReadonlyMap<string, string>): boolean {
  if (neverShown.has(name)) return true;
  if (attributes.has("hidden")) return true;
  return (
    hidingStyle.test(attributes.get("style") ?? "") ||
    hidingClass.test(attributes.get("class") ?? "") ||
    hidingColour.test(attributes.get("color") ?? "")
  );
}

const nameAt = /[A-Za-z][A-Za-z0-9:-]{0,199}/y;
const attributeAt = /[\s/]*([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/y;
const tagEndAt = /[\s/]*>/y;

/** Every character of `source` is in exactly one token. */
export function tokenizeHtml(source: string): HtmlToken[] {
  const tokens: HtmlToken[] = [];
  let textStart = 0;
  let at = 0;
  const push = (token: HtmlToken): void => {
    if (token.start > textStart) tokens.push({ kind: "text", start: textStart, end: token.start });
    tokens.push(token);
    textStart = token.end;
    at = token.end;
  };
  while (at < source.length) {
    const start = source.indexOf("<", at);
    if (start === -1) break;
    const token = commentAt(source, start) ?? tagAt(source, start);
    if (token === null) at = start + 1;
    else push(token);
  }
  if (textStart < source.length) tokens.push({ kind: "text", start: textStart, end: source.length });
  return tokens;
}

function commentAt(source: string, start: number): HtmlToken | null {
  const until = (mark: string, from: number): HtmlToken => {
    const found = source.indexOf(mark, from);
    return { kind: "comment", start, end: found === -1 ? source.length : found + mark.length };
  };
  if (source.startsWith("<!--", start)) {
    if (source.startsWith(">", start + 4)) return { kind: "comment", start, end: start + 5 };
    if (source.startsWith("->", start + 4)) return { kind: "comment", start, end: start + 6 };
    return until("-->", start + 4);
  }
  if (source.startsWith("<?", start)) return until("?>", start + 2);
  if (source.startsWith("<![CDATA[", start)) return until("]]>", start + 9);
  return /[A-Za-z]/.test(source[start + 2] ?? "") && source[start + 1] === "!" ? until(">", start + 2) : null;
}

function tagAt(source: string, start: number): HtmlToken | null {
  const isClose = source[start + 1] === "/";
  nameAt.lastIndex = start + (isClose ? 2 : 1);
  const name = nameAt.exec(source)?.[0].toLowerCase();
  if (name === undefined) return null;
  let at = nameAt.lastIndex;
  const attributes = new Map<string, string>();
  for (;;) {
    tagEndAt.lastIndex = at;
    if (tagEndAt.test(source)) {
      const end = tagEndAt.lastIndex;
      return isClose ? { kind: "close", name, start, end } : { kind: "open", name, attributes, start, end };
    }
    attributeAt.lastIndex = at;
    const attribute = attributeAt.exec(source);
    if (attribute === null || attributeAt.lastIndex === at) return null;
    const key = (attribute[1] ?? "").toLowerCase();
    if (!attributes.has(key)) attributes.set(key, attribute[2] ?? attribute[3] ?? attribute[4] ?? "");
    at = attributeAt.lastIndex;
  }
}
