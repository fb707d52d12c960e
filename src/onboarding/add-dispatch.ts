/**
 * Adds `workflow_dispatch` to the events of a workflow file of people. Only these characters are new: comments, quotes and
 * order stay.
 */
import { isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { fieldsOf, parsedYaml, textsOf } from "./workflow-yaml.ts";

const added = "workflow_dispatch";

/** null: the file has a form that Baton does not change, or starts by hand already. */
export function withDispatch(text: string): string | null {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return null;
  const pair = document.contents.items.find(({ key }) => isScalar(key) && key.value === "on");
  const changed = pair === undefined ? null : changedAt(text, pair.value as Node | null);
  return changed !== null && isSameButForIt(text, changed) ? changed : null;
}

function changedAt(text: string, on: Node | null): string | null {
  if (on?.range == null) return null;
  const insert = (at: number, more: string): string => `${text.slice(0, at)}${more}${text.slice(at)}`;
  const [start, end] = on.range;
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  if (isScalar(on))
    return on.value === null ? null : `${text.slice(0, start)}[${text.slice(start, end)}, ${added}]${text.slice(end)}`;
  if (isSeq(on)) {
    const last = (on.items.at(-1) as Node | undefined)?.range?.[1];
    const first = (on.items[0] as Node | undefined)?.range?.[0];
    if (last === undefined || first === undefined) return null;
    if (on.flow === true) return insert(last, `, ${added}`);
    const dash = text.slice(lineStart(text, first), first);
    return /^\s*-\s+$/.test(dash) ? insert(last, `${newline}${dash}${added}`) : null;
  }
  if (!isMap(on)) return null;
  if (on.flow === true) return insert(start + 1, ` ${added}: {},`);
  const first = (on.items[0]?.key as Node | undefined)?.range?.[0];
  if (first === undefined) return null;
  const at = lineStart(text, first);
  const indent = text.slice(at, first);
  return /^\s+$/.test(indent) ? insert(at, `${indent}${added}:${newline}`) : null;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** Read again: the change did nothing else. */
function isSameButForIt(before: string, after: string): boolean {
  const [old, now] = [fieldsOf(parsedYaml(before)), fieldsOf(parsedYaml(after))];
  if (old === null || now === null) return false;
  const { on: oldOn, ...oldRest } = old;
  const { on: nowOn, ...nowRest } = now;
  if (JSON.stringify(oldRest) !== JSON.stringify(nowRest)) return false;
  const events = (on: unknown): string[] =>
    Object.keys(fieldsOf(on) ?? {}).concat(fieldsOf(on) === null ? textsOf(on) : []);
  const names = events(oldOn);
  if (names.includes(added)) return false;
  if (JSON.stringify(events(nowOn).toSorted()) !== JSON.stringify([...names, added].toSorted())) return false;
  const { [added]: _new, ...filters } = fieldsOf(nowOn) ?? {};
  return fieldsOf(oldOn) === null || JSON.stringify(filters) === JSON.stringify(oldOn);
}
