/**
 * The text of a failed check for a repair: the places that its tool names, then the telling part of its log or its summary.
 *
 * FX1 Annotations come first: they name the file and the line, even if Baton may not read the log.
 * FX2 The text is bounded in bytes, whatever a tool wrote.
 */
import { bytesOf } from "../core/bytes.ts";
import { logExcerpt } from "./log-excerpt.ts";

export interface Annotation {
  path: string;
  line: number;
  level: "failure" | "warning" | "notice";
  title: string;
  message: string;
}

/** The share of the bytes for annotations if there is a log as well. */
const annotatedShare = 0.35;
const ranks: readonly Annotation["level"][] = ["failure", "warning", "notice"];

/** `log`: null if Baton may not read it. */
export function failureText(
  { annotations, log, summary }: { annotations: readonly Annotation[]; log: string | null; summary: string },
  bytesMax: number,
): string {
  const rest = log ?? summary;
  const told = annotations.filter((annotation) => !isExit(annotation) || rest === "");
  const marked = annotationLines(told, rest === "" ? bytesMax : Math.floor(bytesMax * annotatedShare));
  if (marked === "") return logExcerpt(rest, bytesMax);
  const left = logExcerpt(rest, bytesMax - bytesOf(marked) - 2);
  return [marked, left].filter((text) => text !== "").join("\n\n");
}

/** Lists failures before warnings. Warnings appear only if nothing failed. */
function annotationLines(annotations: readonly Annotation[], bytesMax: number): string {
  const level = ranks.find((rank) => annotations.some((one) => one.level === rank));
  const lines = [...new Set(annotations.filter((one) => one.level === level).map(lineOf))];
  let text = "";
  for (const [index, line] of lines.entries()) {
    const next = text === "" ? line : `${text}\n${line}`;
    const more = `\n… ${lines.length - index} more annotations`;
    if (bytesOf(next) > bytesMax - (index === lines.length - 1 ? 0 : more.length + 2))
      return text === "" ? logExcerpt(line, bytesMax) : text + more;
    text = next;
  }
  return text;
}

function lineOf({ path, line, title, message }: Annotation): string {
  // GitHub uses `.github` as the path of an annotation without a file.
  const place = path === ".github" ? "" : `${path}:${line}: `;
  const head = title === "" || message.includes(title) ? "" : `${title}: `;
  return `${place}${head}${message}`.replaceAll("\r\n", "\n").trimEnd();
}

/** The runner's own annotation, which only says that the check failed. */
function isExit({ path, message }: Annotation): boolean {
  return path === ".github" && /^Process completed with exit code \d+\.$/.test(message.trim());
}
