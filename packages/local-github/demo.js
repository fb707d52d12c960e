// Starts the demo: in a clone from its sources, as an installed package from what was built for it.
import { existsSync } from "node:fs";

const sources = new URL("demo/main.ts", import.meta.url);
await import((existsSync(sources) ? sources : new URL("dist/js/main.js", import.meta.url)).href);
