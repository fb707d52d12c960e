import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commands as grammars } from "../commands/index.ts";
import { cut, fenced } from "../text/cut.ts";
import { parseMarker, printMarker, withMarker } from "../text/marker.ts";
import { neutralise } from "../text/neutralise.ts";
import { createRedactor, redactedText } from "../text/redact.ts";
import { sanitise } from "../text/sanitise.ts";
import { parseCommand } from "./parse-command.ts";

const parse = (body: string) => parseCommand(body, grammars);

describe("what is a command", () => {
  it.each([
    ["alone", "/baton run"],
    ["after text", "Please help.\n\n/baton run"],
    ["in the same paragraph, on its own line", "Please help.\n/baton run"],
    ["with text after it", "/baton run\n\nKeep it small."],
    ["with a trailing space", "/baton run  "],
    ["with CRLF", "Hello\r\n\r\n/baton run\r\n"],
    ["before a quote", "/baton run\n\n> quoted"],
    ["after a code block", "```\ncode\n```\n\n/baton run"],
    ["with two spaces before it", "  /baton run"],
    ["followed by another", "/baton run\n/baton cancel"],
    ["after an element that is closed", "Press <kbd>x</kbd>.\n\n/baton run"],
    ["after a paragraph in HTML", '<p align="center">Hello\n\n/baton run'],
    ["above a signature", "/baton run\n\n-- \nBob"],
    ["after dashes that sign nothing", "One\n\n---\n\n/baton run"],
  ])("%s: yes", (_, body) => {
    expect(parse(body)).toMatchObject({ kind: "command", name: "run" });
  });

  it.each([
    ["nothing", ""],
    ["mid-line", "please /baton run"],
    ["a fence", "```\n/baton run\n```"],
    ["a tilde fence", "~~~\n/baton run\n~~~"],
    ["an unclosed fence", "```\n/baton run"],
    ["indented code", "text\n\n    /baton run"],
    ["inline code", "`/baton run`"],
    ["code over lines", "`\n/baton run\n`"],
    ["a quote", "> /baton run"],
    ["a lazily continued quote", "> he said\n/baton run"],
    ["a nested quote", "> > /baton run"],
    ["a list", "- /baton run"],
    ["a numbered list", "1. /baton run"],
    ["a heading", "# /baton run"],
    ["a table", "| a |\n|---|\n| /baton run |"],
    ["an HTML comment", "<!--\n/baton run\n-->"],
    ["an unclosed HTML comment", "<!--\n/baton run"],
    ["details", "<details>\n/baton run\n</details>"],
    ["pre", "<pre>\n/baton run\n</pre>"],
    ["link text", "[/baton run](https://example.com)"],
    ["link text over lines", "[\n/baton run](https://example.com)"],
    ["emphasis", "*\u2060/baton run*"],
    ["a reply by mail", "On Monday, bob wrote:\n> /baton run"],
    ["another word", "/batonrun"],
    ["a path", "/baton/run"],
    ["a look-alike letter", "/b\u0430ton run"],
    ["full-width letters", "/\uff42aton run"],
    ["a zero-width space", "/bat\u200bon run"],
    ["upper case", "/BATON run"],
    ["an escaped slash", "\\/baton run"],
    ["a footnote", "[^1]: /baton run"],
    ["a task list", "- [ ] /baton run"],
    ...["q", "kbd", "samp", "var", "cite", "mark", "ins", "small", "span", "b", "i", "em", "u", "font", "label"].map(
      (name): [string, string] => [
        `commands-in-reviews-are-silent: a paragraph of its own within ${name}`,
        `<${name}>\n\n/baton run\n\n</${name}>`,
      ],
    ),
    ["commands-in-reviews-are-silent: an element that a paragraph opened", "He said <q>no\n\n/baton run"],
    ["commands-in-reviews-are-silent: below a signature", "hi\n\n-- \nBob\n/baton run"],
    [
      "commands-in-reviews-are-silent: below a signature that Markdown takes for a heading's",
      "hi\n-- \nBob\n\n/baton run",
    ],
    ["commands-in-reviews-are-silent: blocks below a signature", "hi\n\n-- \nBob\nCEO\n\nACME\n\n/baton run"],
  ])("%s: no", (_, body) => {
    expect(parse(body)).toEqual({ kind: "none" });
  });
});

describe("what a command says", () => {
  it("takes options, then text, and the lines after", () => {
    expect(
      parse('/baton run --harness codex --model=gpt-5 --budget 2.50 Be "careful" --with this\n\nSecond line.'),
    ).toEqual({
      kind: "command",
      name: "run",
      positional: [],
      options: { harness: "codex", model: "gpt-5", budget: 2.5 },
      text: 'Be "careful" --with this\n\nSecond line.',
    });
  });

  it.each([
    ["--deadline 90m", { deadline: 90 }],
    ["--deadline 4h --priority critical", { deadline: 240, priority: "critical" }],
    ["--deadline=2d", { deadline: 2_880 }],
    ["--paths packages/api,docs/**", { paths: "packages/api,docs/**" }],
  ])("`/baton run %s`: its deadline in minutes, its paths", (text, options) => {
    expect(parse(`/baton run ${text}`)).toMatchObject({ kind: "command", options });
  });

  it.each([
    "--deadline 0h",
    "--deadline tomorrow",
    "--deadline 31d",
    "--deadline -4h",
    "--priority urgent",
    "--paths /etc",
    "--paths ../x",
    "--paths !src",
    "--paths a,{b,c}",
  ])("`/baton run %s` is refused with its form", (text) => {
    expect(parse(`/baton run ${text}`).kind).toBe("invalid");
  });

  it.each([
    "Sent from my iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Verzonden vanaf Outlook voor Android",
    "Wysłane z iPhone'a",
    "iPhoneから送信",
    "나의 iPhone에서 보냄",
    "Skickat från min iPhone",
    "Sendt fra min iPad",
    "Lähetetty iPhonesta",
    "Odesláno z iPhonu",
    "Отправлено с iPhone",
    "Надіслано з iPhone",
    "iPhone'umdan gönderildi",
    "Az iPhone-omról küldve",
    "发自我的iPhone",
    "從我的 iPhone 傳送",
    "Enviado do meu iPhone",
    "Enviado desde mi Samsung Galaxy",
    "Inviato da iPhone",
    "Envoyé à partir de Outlook pour Android",
    "Télécharger Outlook pour Android",
    "Outlook für Android beziehen",
    "Trimis de pe iPhone",
    "Στάλθηκε από το iPhone μου",
    "Đã gửi từ iPhone của tôi",
    "<Sent from Outlook for Android>",
  ])("commands-in-reviews-are-silent: the signature %j is no instruction", (signature) => {
    expect(parse(`/baton run\n\nKeep it small.\n\n${signature}\n`)).toMatchObject({ text: "Keep it small." });
  });

  it.each(["Show iPhone users the total.", "The mail is sent from the Android app: fix its subject.", "Pobierz"])(
    "%j is one",
    (line) => {
      expect(parse(`/baton run\n\n${line}`)).toMatchObject({ text: line });
    },
  );

  it.each([
    ["/baton rnu", "run"],
    ["/baton stauts", "status"],
    ["/baton aprove", "approve"],
  ])("C2: %s suggests %s and does nothing", (body, suggestion) => {
    expect(parse(body)).toMatchObject({ kind: "unknown", suggestion });
  });

  it.each([
    ["/baton run --budgte 2", "Did you mean `--budget`"],
    ["/baton run --budget", "needs a value"],
    ["/baton run --budget lots", "an amount in USD"],
    ["/baton run --budget -1", "more than 0"],
    ["/baton run --harness $(x)", "a name of letters"],
    ["/baton race claude", "needs at least 2 of `HARNESS[:MODEL]`, and you gave 1"],
    ["/baton race", "argument `HARNESS[:MODEL]` is missing"],
    ["/baton race claude codex, and quickly", "`codex,` is not valid here"],
    ["/baton status now", "Unknown argument `now`"],
    ["/baton budget", "argument `+USD` is missing"],
    ["/baton cost --all", "has no options"],
  ])("%s is refused with what is allowed", (body, problem) => {
    const parsed = parse(body);
    expect(parsed).toMatchObject({ kind: "invalid", problem: expect.stringContaining(problem) });
  });

  it("takes several names where a command takes several, and text after `--` or below", () => {
    expect(parse("/baton race claude codex:gpt-5 --budget 4 pi -- Keep --this small.\n\nThanks.")).toEqual({
      kind: "command",
      name: "race",
      positional: ["claude", "codex:gpt-5", "pi"],
      options: { budget: 4 },
      text: "Keep --this small.\n\nThanks.",
    });
  });

  it("never throws and never finds a command without the word", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (body) => {
        const parsed = parse(body);
        if (!body.includes("/baton")) expect(parsed.kind).toBe("none");
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("/baton", " run", "\n", "```", "> ", "<!--", "-->", "`", "--budget", " 2", "- ")),
        (parts) => void parse(parts.join("")),
      ),
    );
  });
});

describe("markers", () => {
  it("print and parse round trip, whatever stands around them", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_:./#@-]{1,240}$/), fc.string(), (key, body) => {
        expect(parseMarker(printMarker(key))).toBe(key);
        fc.pre(parseMarker(body) === null);
        expect(parseMarker(withMarker(body, key))).toBe(key);
      }),
    );
  });

  it("a key that could end the HTML comment is refused", () => {
    expect(() => printMarker("a --> b")).toThrow(RangeError);
  });
});

describe("redaction", () => {
  const encode = {
    base64: (text: string) => Buffer.from(text).toString("base64"),
    hex: (text: string) => Buffer.from(text).toString("hex"),
  };
  const secret = "c4n4ry/S3cret+value";
  const redact = createRedactor({ secrets: [secret, "short"] });

  it.each([
    ["plain", secret],
    ["in text", `x${secret}y`],
    ["base64", encode.base64(secret)],
    ["base64 in a longer text", encode.base64(`user:${secret}`)],
    ["base64 at the third alignment", encode.base64(`ab${secret}cd`)],
    ["base64url", encode.base64(secret).replaceAll("+", "-").replaceAll("/", "_")],
    ["hex", encode.hex(secret)],
    ["upper-case hex", encode.hex(secret).toUpperCase()],
    ["URL-encoded", encodeURIComponent(secret)],
    ["reversed", [...secret].reverse().join("")],
    ["cut by line breaks", [...secret].join("\n")],
    ["cut by zero-width spaces", [...secret].join("\u200b")],
  ])("%s is removed", (_, text) => {
    const clean = redact(`before ${text} after`);
    expect(clean).toContain(redactedText);
    expect(clean).not.toContain(text);
  });

  it.each([
    `ghp_${"a1".repeat(18)}`,
    `ghs_${"a1".repeat(18)}`,
    `github_pat_${"a1".repeat(11)}_${"a1".repeat(29)}b`,
    `sk-ant-api03-${"a1".repeat(20)}`,
    `sk-proj-${"a1".repeat(20)}`,
    "AKIAABCDEFGHIJKLMNOP",
    `AIza${"a1".repeat(17)}b`,
    "https://user:hunter22@example.com/x",
    "Authorization: Bearer abcdefgh12345678",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
  ])("%s is known by its shape", (text) => {
    expect(redact(`a ${text} b`)).toContain(redactedText);
  });

  it("leaves ordinary text alone, short values included", () => {
    const text = "A short commit a1b2c3d4 of https://example.com/acme/shop, sk-1 and 0123456789abcdef.";
    expect(redact(text)).toBe(text);
  });
});

describe("untrusted text", () => {
  it.each([
    ["an HTML comment", "a<!-- hidden -->b", "ab"],
    ["an unclosed comment", "a\n\n<!-- hidden", "a\n\n"],
    ["a hidden element", 'a<span style="display:none">hidden</span>b', "ab"],
    ["a hidden attribute", "a<p hidden>hidden</p>b", "ab"],
    ["a reference-style comment", "a\n\n[//]: # (hidden)\n\nb", "a\n\n\n\nb"],
    ["a link title", '[x](http://e.com "hidden")', "[x](http://e.com)"],
    ["an image's alternative text", "![hidden](http://e.com/i.png)", "![image](http://e.com/i.png)"],
    ["an attribute", '<b title="hidden">x</b>', "<b>x</b>"],
    ["zero-width characters", "a\u200bb\u2060c\ufeff", "abc"],
    ["bidi controls", "a\u202eb\u2066c", "abc"],
    ["the tag block", `a${String.fromCodePoint(0xe0068, 0xe0069)}b`, "ab"],
    ["variation selectors as data", `a${String.fromCodePoint(0xe0100, 0xe0101)}b`, "ab"],
    ["Hangul and Braille blanks", "a\u3164\u2800\uffa0b", "ab"],
    ["terminal escapes", "a\u001b[31mb\u001b]8;;http://x\u0007c\u001b[0m", "abc"],
    ["a script", "a<script>hidden</script>b", "ab"],
  ])("%s is removed and told of", (_, text, expected) => {
    expect(sanitise(text)).toMatchObject({ text: expected, hidden: true });
  });

  it.each([
    "Plain text.",
    "👩‍👩‍👧‍👦 family, 👍🏽 and ❤️",
    "مرحبا بالعالم",
    "שלום",
    "a < b && c > d",
    "`code` and\n\n```js\nif (a) {}\n```",
    "- list\n- [x] done",
    "日本語のテキスト",
    "1️⃣ first",
  ])("%j stays as it is", (text) => {
    expect(sanitise(text)).toEqual({ text, hidden: false, removed: [] });
  });

  it.each([
    ["a mention", "ping @alice and @acme/team", /@\u200balice.*@\u200bacme/],
    ["a close keyword", "fixes #12, closes acme/shop#3", /fixes\u200b #12.*closes\u200b acme/],
    ["a command", "/baton approve", /^\u200b\/baton/],
    ["a workflow command", "::error::x", /^\u200b::error/],
    ["a remote image", "![x](http://evil/beacon.png)", /^\(image\)$/],
  ])("%s is defused before it is published", (_, text, expected) => {
    expect(neutralise(text)).toMatch(expected);
  });

  it("an address and code keep their @", () => {
    expect(neutralise("a@b.com")).toBe("a@b.com");
  });

  it("fenced text cannot leave its fence", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("`", "```", "````", "\n", "a", "~~~")), (parts) => {
        const lines = fenced(parts.join("")).split("\n");
        const fence = lines[0] as string;
        expect(lines.slice(1, -1).some((line) => line.trimStart().startsWith(fence))).toBe(false);
      }),
    );
  });

  it("is cut between characters, within its bound, with fences closed", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 100, maxLength: 300 }),
        fc.integer({ min: 40, max: 90 }),
        (text, max) => {
          const short = cut(text, max);
          expect(short.length).toBeLessThanOrEqual(max);
          expect(short.isWellFormed()).toBe(true);
        },
      ),
    );
    expect(cut(`\`\`\`\n${"x".repeat(100)}`, 60)).toMatch(/\n```\n\n… \(cut\)$/);
  });
});
