/**
 * The README's pictures, which a headless Chromium takes from the demo: `npm run pictures`. CHROMIUM names another program
 * than `chromium`.
 */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const root = fileURLToPath(new URL("..", import.meta.url));
const chromium = process.env["CHROMIUM"] ?? "chromium";
const shots = [
  { page: "thread", file: "thread.png", height: 1_900 },
  { page: "pull request", file: "pull-request.png", height: 1_650 },
];

const demo = execa(process.execPath, ["packages/local-github/demo/main.ts"], { cwd: root, reject: false });
let printed = "";
demo.stdout.on("data", (chunk: Buffer) => {
  printed += chunk.toString("utf8");
});
while (!printed.includes("Ctrl-C")) await once(demo.stdout, "data");
while (!/pull request\s+http/.test(printed)) await once(demo.stdout, "data");
for (const { page, file, height } of shots) {
  const url = new RegExp(`${page}\\s+(http\\S+)`).exec(printed)?.[1];
  if (url === undefined) throw new Error(`The demo printed no address of the ${page}.`);
  await execa(
    chromium,
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      `--window-size=1000,${height}`,
      `--screenshot=docs/pictures/${file}`,
      url,
    ],
    { cwd: root },
  );
  console.log(`docs/pictures/${file}`);
}
demo.kill("SIGINT");
await demo;
