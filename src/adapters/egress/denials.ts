/**
 * The proxy's refusals, reported once per name.
 *
 * ED1 An agent chooses the names. Their number and length are bounded, and they have no control characters.
 */

const namesMax = 200;
const nameCharactersMax = 255;

export class Denials {
  private readonly told = new Set<string>();
  private readonly onDenied: (name: string, reason: string) => void;

  constructor(onDenied: (name: string, reason: string) => void) {
    this.onDenied = onDenied;
  }

  tell(name: string, reason: string): void {
    const shown = shownName(name);
    if (this.told.has(shown) || this.told.size >= namesMax) return;
    this.told.add(shown);
    this.onDenied(shown, reason);
  }
}

/** A name in a form that a message can show. */
export function shownName(name: string): string {
  const visible = name.replace(/[^\x21-\x7e]/g, "?");
  return visible.length > nameCharactersMax ? `${visible.slice(0, nameCharactersMax - 3)}...` : visible;
}
