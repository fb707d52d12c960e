/** People's GitHub-flavored Markdown, made harmless: no script, no style, no handler, no unusual address. */
import { Marked } from "marked";
import sanitizeHtml from "sanitize-html";
import { Html } from "./html.ts";

export interface References {
  /** Address of issue or pull request `number`, or null. */
  thread(number: number): string | null;
  /** Address of the account, or null. */
  account(login: string): string | null;
}

const tags = (
  "h1 h2 h3 h4 h5 h6 p br hr blockquote pre code a img em strong b i del s ins kbd sub sup ul ol li dl dt dd " +
  "table thead tbody tr th td details summary input div span samp var q"
).split(" ");

const allowed: sanitizeHtml.IOptions = {
  allowedTags: tags,
  allowedAttributes: {
    a: ["href", "title"],
    img: ["src", "alt", "title", "width", "height"],
    input: ["type", "checked", "disabled"],
    ol: ["start"],
    td: ["align", "colspan", "rowspan"],
    th: ["align", "colspan", "rowspan"],
    details: ["open"],
    "*": ["align"],
  },
  allowedSchemes: ["http", "https", "mailto"],
  // Other form controls than a checkbox could belong to a foreign form.
  exclusiveFilter: (frame) => frame.tag === "input" && frame.attribs["type"] !== "checkbox",
  transformTags: { input: (tagName, attribs) => ({ tagName, attribs: { ...attribs, disabled: "" } }) },
};

export function markdown(text: string, references: References): Html {
  const marked = new Marked({ gfm: true, async: false });
  marked.use({
    extensions: [
      {
        name: "reference",
        level: "inline",
        start: (source) => source.search(/[\s(][#@]\w/),
        tokenizer(source) {
          const match = /^([\s(]?)(#(\d+)|@([\w-]+(?:\[bot\])?))(?![\w-])/.exec(source);
          if (match === null) return undefined;
          const [raw, before = "", shown = "", number, login] = match;
          const address = number === undefined ? references.account(login ?? "") : references.thread(Number(number));
          return address === null ? undefined : { type: "reference", raw, before, shown, address };
        },
        renderer: (token) =>
          `${String(token["before"])}<a href="${String(token["address"])}">${String(token["shown"])}</a>`,
      },
    ],
  });
  return new Html(sanitizeHtml(marked.parse(text) as string, allowed));
}
