/**
 * Boxes of the dashboard issue that people tick, and the meaning of a tick.
 *
 * TK1 A box counts only if Baton wrote it and this edit ticked it. Baton never reads text that people write.
 * TK2 The subject of a box is in its marker, so no text of a finding can pass for one.
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

/** The boxes that somebody ticked in a text that Baton wrote. */
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
