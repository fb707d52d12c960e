// `node bin/in-clone.js <source> …`: one of the programs that `package.json` names, with a sentence where something is missing.
import { launch } from "./launch.js";

const [source] = process.argv.splice(2, 1);
await launch(source, null);
