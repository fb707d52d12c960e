/** The program `baton`. Installers and scripts ask for its version most, and that needs none of the commands. */
import { product } from "../core/product.ts";

const [word, ...more] = process.argv.slice(2);
if (more.length === 0 && (word === "--version" || word === "-V")) process.stdout.write(`${product.version}\n`);
else await import("./run-here.ts");
