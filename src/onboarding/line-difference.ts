/** What differs between two texts, line by line, as people know it from patches; bounded. */

const linesMax = 2_000;

/** Empty where nothing differs. `context` lines stay around each change, `…` stands for the rest. */
export function lineDifference(before: string, after: string, context = 2): string {
  const a = linesOf(before);
  const b = linesOf(after);
  if (a.length > linesMax || b.length > linesMax) return "The files differ and are too long to compare here.";
  const rows = compare(a, b);
  if (rows.every(({ sign }) => sign === " ")) return "";
  const shown = rows.map((_, index) =>
    rows.slice(Math.max(0, index - context), index + context + 1).some(({ sign }) => sign !== " "),
  );
  return rows
    .flatMap(({ sign, line }, index) => {
      if (shown[index]) return [`${sign}${line}`];
      return index === 0 || shown[index - 1] ? ["…"] : [];
    })
    .join("\n");
}

function linesOf(text: string): string[] {
  return text.replaceAll("\r\n", "\n").replace(/\n$/, "").split("\n");
}

/** By the longest common subsequence. */
function compare(a: readonly string[], b: readonly string[]): { sign: " " | "-" | "+"; line: string }[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const [row, next] = [lengths[i] as Uint16Array, lengths[i + 1] as Uint16Array];
    for (let j = b.length - 1; j >= 0; j -= 1)
      row[j] = a[i] === b[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
  }
  const rows: { sign: " " | "-" | "+"; line: string }[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [line = "", other = ""] = [a[i], b[j]];
    if (i < a.length && j < b.length && line === other) {
      rows.push({ sign: " ", line });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0))) {
      rows.push({ sign: "-", line });
      i += 1;
    } else {
      rows.push({ sign: "+", line: other });
      j += 1;
    }
  }
  return rows;
}
