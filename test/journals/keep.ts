/** `npm run journals:keep`: writes the journals of this version that are not kept yet. Kept journals never change. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fold } from "../../src/core/fold.ts";
import { endOf, journalText, keptDirectory } from "./kept.ts";
import { scenarios } from "./scenarios.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const directory = join(keptDirectory, version);
mkdirSync(directory, { recursive: true });
for (const [name, journal] of Object.entries(await scenarios())) {
  const path = join(directory, `${name}.jsonl`);
  if (existsSync(path)) {
    process.stdout.write(`${version}/${name}: kept before\n`);
    continue;
  }
  writeFileSync(path, journalText(journal));
  writeFileSync(join(directory, `${name}.end.json`), `${JSON.stringify(endOf(fold(journal)), null, 2)}\n`);
  process.stdout.write(`${version}/${name}: ${journal.length} events\n`);
}
