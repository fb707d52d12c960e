/** Texts that do something on GitHub unless they are defused; the first eight undid an earlier neutraliser. */
const emptyTags = [
  "@<b></b>bob",
  "@<i></i>acme/team",
  "fix<b></b>es #1",
  "Fixes <b></b>#1",
  "![x]<b></b>(http://evil.example/leak.png?q=1)",
  "[https://github.com/login]<b></b>(http://evil.example)",
  "<<b></b>img src=http://evil.example>",
  "<<b></b>!-- swallow",
  "<<b></b>/details>",
  "<<b></b>!-- baton:op=status:run_1 -->",
];
const bits = [
  "@bob", "@acme/team", "@\u200bbob", "&#64;bob", "&commat;bob", "&#x40;bob", "&#000064;bob", "@&#98;ob", "\\@bob", "_@bob_", "*a*@bob", "a_@bob", "**@**bob",
  "`x`@bob", "[x](https://github.com/x)@bob", "https://@bob", "(@bob)", "é@bob", "$x$@bob", ":tada:@bob", "@bob's", "@bob.", "[@bob](https://github.com/bob)",
  "fixes #1", "Closes: #1", "fixes&nbsp;#1", "fixe&#115; #1", "&#102;ixes #1", "fixes \\#1", "fixes &#35;1", "fixes #&#49;", "fixes GH-1", "resolves octo/repo#1",
  "Closes https://github.com/o/r/issues/1", "fixes\n#1", "fixes **#1**", "fixes [#1](https://github.com/o/r)", "fixes\\: #1", "fixes&colon; #1", "> fixes\n> #1",
  "octo/repo#1", "octo&sol;repo#1", "octo\\/repo\\#1", "octo/repo@0123456789abcdef0123456789abcdef01234567", "https://github.com/o/r/issues/1", "http://www.github.com/o/r/pull/2",
  "www.github.com/o/r/issues/3", "[x](https://github.com/o/r/issues/1)", "<https://github.com/o/r/pull/1>", "https://github.com/o/r/%69ssues/1",
  "![x](http://evil.example/a.png)", "![x][y]\n\n[y]: http://evil.example/a.png", "[![x](http://evil.example/i)](https://github.com)", "!\\[x](http://evil.example)", "!&#91;x](http://e.example)",
  "<img src=x>", "<img/src=x>", "<IMG SRC=x onerror=alert(1)>", "<picture><source srcset=http://evil.example></picture>", "<svg><image href=http://evil.example></svg>", "<video src=http://evil.example>",
  "[https://github.com/login](http://evil.example)", "[www.github.com](https://github.com.evil.example/)", "[x](https://github.com@evil.example/)", "https://github.com@evil.example/", "[x](/\\evil.example)",
  "[x](//evil.example)", "[https://bank.example](https://github.com/evil)", "[x](https://github.com\\@evil.example)", "[x](javascript:alert(1))", "[x](http://evil.example 'github.com')", "[x]: http://evil.example", "[x]", "[x][]",
  "[x](https://github&#46;com.evil.example)", "<a href=\"https://evil.example\">https://github.com</a>", "<a href='https://evil.example'>y</a>",
  "<!-- open", "<!-->", "<!--->", "<!-- a --> b", "<!-- baton:op=x -->", "<?php open", "<![CDATA[ open", "<!DOCTYPE open", "</details>", "<details>", "<details><summary>x</summary>", "<table><tr><td>", "<pre>", "<code>@bob", "</code>", "<script>x", "<style>",
  "<b", "<b x=\"", "<b x='", "<b\n>", "<<b>b>", "<<<i>i>b>", "&lt;!-- x", "&#60;!-- x", "\\<!-- x", "&lt;img src=x&gt;",
  "```", "````", "~~~", "```mermaid\nx\n```", "```suggestion\nx\n```", "~~~\n@bob\n~~~", "```\n@bob\n```", "    @bob", "\t@bob", "`", "``", "`@bob`", "``@bob`", "`a\n@bob`", "- ```\n  @bob", "> ```\n> @bob", "- x\n\n      @bob", "1. x\n   ~~~\n   @bob",
  "\\`@bob`", "`a\\`@bob`",
  "# Cost so far", "## Baton: passed", "### What changed (measured by git)", "Cost so far\n===", "Cost so far\n---", "===", "---", "#", "> # Cost", "- # Cost", "<h3>Cost</h3>", "# `x`\ny",
  "/baton approve", "  /baton approve", "&#47;baton approve", "\\/baton approve", "> /baton approve", "<b></b>/baton approve",
  "::add-mask::x", "  ::error::x", "::<b></b>error::x", "##[group]x", "x ##[add-mask]y", "::stop-commands::x", "&#58;&#58;error::x", "#<b></b>#[error]x",
  "| a | b |\n|---|---|\n| @bob | `x|y` |", "a\\|b", "`a\\|@bob`", "[^1]\n\n[^1]: @bob", "> [!NOTE]\n> @bob", "- [ ] @bob", "$$\n@bob", "$`@bob`$", "bob@example.com", "<bob@example.com>", "mailto:bob@example.com",
  "&", "&#", "&#6", "&#64", "\\", "@", "fixes", "fixes #", "octo/repo#", "!", "]", "[", "](http://evil.example)", "(http://evil.example)", "![", "<", "#1", "es #1", "bob", "1", ";bob", "[group]x", ":error::x", "img src=x>", "!-- x", "b>",
  "\ud83d", "\ude00", "👩‍👩‍👧‍👦", "\u202e", "\u0000", "\r\n@bob", "\u0085::error::x", "\u2028/baton run",
] as const;

export const hostileTexts: readonly string[] = [...emptyTags, ...bits];

/** What stands between the letters of an effect, and shows nothing. */
export const nothings: readonly string[] = ["", "", "", "<b></b>", "<!---->", "<!-- x -->", "<i>", "</i>", "<br>", "<wbr>", "<?x?>", "<![CDATA[x]]>", "<!X y>", "\u200b", "&#8203;", "&shy;", "&zwj;", "**", "_", "`", "\\", " ", "\n", "\n\n", "> ", "- ", "    ", "|", "<span hidden>x</span>", "<x>", "<<b></b>b>", "[", "]"];
