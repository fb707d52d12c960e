/**
 * Boxes of the dashboard issue that people tick, and what a tick says.
 *
 * TK1 Only a box that Baton wrote, and that this edit ticked, counts: text that people write is never read.
 * TK2 What a box is about stands in its marker, so that no text of a finding can be taken for one.
 */
const tickActions = ["propose", "ignore", "resume"] as const;
type TickAction = (typeof tickActions)[number];

export interface Tick {
  action: TickAction;
  /** Fingerprint of a finding, or name of a detector. */
  id: string;
}

const box = /^\s*- \[([ xX])\] .*<!-- baton:tick=(propose|ignore|resume):([A-Za-z0-9-]{1,64}) -->\s*$/;
const ticksMax = 100;

export function renderBox({ action, id }: Tick, words: string): string {
  return `- [ ] ${words} <!-- baton:tick=${action}:${id} -->`;
}

/** What somebody ticked by changing a text that Baton wrote. */
export function ticksIn(before: string, after: string): Tick[] {
  const open = new Set(boxesOf(before).flatMap(({ ticked, ...tick }) => (ticked ? [] : [nameOf(tick)])));
  const made = new Map<string, Tick>();
  for (const { ticked, ...tick } of boxesOf(after))
    if (ticked && open.has(nameOf(tick)) && made.size < ticksMax) made.set(nameOf(tick), tick);
  return [...made.values()];
}

function boxesOf(text: string): (Tick & { ticked: boolean })[] {
  return text.split("\n").flatMap((line) => {
    const [, mark, action, id] = box.exec(line.slice(0, 2_000)) ?? [];
    return id === undefined ? [] : [{ ticked: mark !== " ", action: action as TickAction, id }];
  });
}

function nameOf({ action, id }: Tick): string {
  return `${action}:${id}`;
}
