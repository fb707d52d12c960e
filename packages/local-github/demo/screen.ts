/** The terminal of the demo: one line a step with the time since the start, in colors where the terminal has them. */
import { styleText } from "node:util";

export type Tone = "good" | "bad" | "wait" | "person" | "quiet";

const styles: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  good: "green",
  bad: "red",
  wait: "yellow",
  person: "cyan",
  quiet: "dim",
};
/** The word stands next to its sign, so that nobody needs the color. */
const signs: Readonly<Record<Tone, string>> = { good: "✓", bad: "✗", wait: "●", person: "→", quiet: " " };

export interface Screen {
  /** A line with the elapsed time and a sign. */
  step(tone: Tone, text: string): void;
  /** A line without either. */
  say(text: string): void;
  /** The step that runs now: replaced by the next line, and shown on terminals only. */
  now(text: string): void;
}

export function createScreen(stream: NodeJS.WriteStream, elapsedMs: () => number): Screen {
  const isTerminal = stream.isTTY === true;
  let shown = "";
  const clear = (): void => {
    if (shown !== "") stream.write("\r\u001b[K");
    shown = "";
  };
  const write = (text: string): void => {
    clear();
    stream.write(`${text}\n`);
  };
  // `stream` decides: no color in a file, none with NO_COLOR.
  const paint = (tone: Tone, text: string): string => styleText(styles[tone], text, { stream });
  return {
    step(tone, text) {
      write(`${styleText("dim", clockOf(elapsedMs()), { stream })} ${paint(tone, `${signs[tone]} ${text}`)}`);
    },
    say: write,
    now(text) {
      if (!isTerminal) return;
      const line = `${clockOf(elapsedMs())} … ${text}`.slice(0, Math.max(20, (stream.columns ?? 80) - 1));
      if (line === shown) return;
      clear();
      stream.write(line);
      shown = line;
    },
  };
}

/** Minutes and seconds: `00:07`. */
function clockOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}
