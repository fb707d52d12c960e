/**
 * The effect of a text on GitHub, without Baton's own code: rendered as the local GitHub renders it, then read.
 *
 * When in doubt, it is stricter than GitHub. It removes tags before it searches for words, so separated pieces count as one
 * word.
 */
import { markdown } from "../../../packages/local-github/src/pages/markdown.ts";

export interface Rendered {
  html: string;
  /** The visible text, without code. */
  text: string;
}

export function renderedByGithub(source: string): Rendered {
  const { text: html } = markdown(source, { thread: () => null, account: () => null });
  const text = html
    .replaceAll(/<pre[\s>][\s\S]*?<\/pre>/g, "\n")
    .replaceAll(/<code[\s>][\s\S]*?<\/code>/g, "code")
    .replaceAll(/<(?:br|\/?(?:p|li|h[1-6]|tr|td|th|div|details|summary|blockquote))\b[^>]*>/g, "\n")
    .replaceAll(/<[^>]*>/g, "");
  return { html, text: decoded(text) };
}

function decoded(text: string): string {
  const names: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&", commat: "@", num: "#" };
  return text
    .replaceAll(/&#(\d{1,7});/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/&#x([0-9a-f]{1,6});/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll(/&([a-z]+);/g, (whole, name: string) => names[name] ?? whole);
}

/** The people whom it would ping. */
export function mentionsIn({ text }: Rendered): string[] {
  return [...text.matchAll(/(?<![\w`/.])@([a-z\d](?:[a-z\d-]{0,38})(?:\/[\w.-]+)?)/gi)].map((found) => found[1] ?? "");
}

/** Closing keywords: https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue */
const closing =
  /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b[:\s]{1,4}(?:[\w.-]+\/[\w.-]+#\d+|#\d+|GH-\d+|https?:\/\/github\.com\/[\w.-]+\/[\w.-]+\/(?:issues|pull)\/\d+)/gi;

/** The threads that it would close. GitHub reads the source, and a reader may see another text. */
export function closedBy(source: string, { text }: Rendered): string[] {
  return [...source.matchAll(closing), ...text.matchAll(closing)].map(([found]) => found);
}

/** Links that show one address and lead to another. */
export function lyingLinks({ html }: Rendered): string[] {
  return [...html.matchAll(/<a\b[^>]*href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g)].flatMap(([, href = "", inner = ""]) => {
    const shown = decoded(inner.replaceAll(/<[^>]*>/g, "")).trim();
    const leads = hostOf(decoded(href));
    if (leads === null || /(?:^|\.)github\.com$/.test(leads)) return [];
    // An address that shows itself is honest.
    return hostOf(shown) === leads ? [] : [`${shown} leads to ${leads}`];
  });
}

function hostOf(address: string): string | null {
  try {
    const { protocol, hostname } = new URL(address.startsWith("www.") ? `http://${address}` : address);
    return protocol === "http:" || protocol === "https:" || protocol === "ftp:" ? hostname : null;
  } catch {
    return null;
  }
}

const runnerCommands = new Set(
  "add-mask add-matcher add-path debug echo endgroup error group notice remove-matcher save-state set-env set-output stop-commands warning internal-set-repo-path".split(
    " ",
  ),
);

/**
 * Whether a runner of GitHub Actions obeys a line: `::name …::` after white space, or `##[name …]` anywhere in it.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function runnerObeys(line: string): boolean {
  const second = /^::([^:]*(?::[^:]+)*)::/.exec(line.trimStart())?.[1];
  const first = /##\[([^\]]*)\]/.exec(line)?.[1];
  return [first, second].some(
    (info) => info !== undefined && runnerCommands.has((info.split(" ")[0] ?? "").toLowerCase()),
  );
}
