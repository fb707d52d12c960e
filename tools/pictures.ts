/**
 * The README's pictures, which a headless Chromium takes from the demo: `npm run pictures`. CHROMIUM names another program
 * than `chromium`. Each page is shown in light and dark, on a desktop and on a phone.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const root = fileURLToPath(new URL("..", import.meta.url));
const chromium = process.env["CHROMIUM"] ?? "chromium";
const pages = [
  { page: "thread", file: "thread" },
  { page: "pull request", file: "pull-request" },
];
const schemes = ["light", "dark"];
const devices = [
  { name: "", width: 1_000, heightMax: 1_900, isMobile: false },
  { name: "-phone", width: 390, heightMax: 1_400, isMobile: true },
];
/** Text stays sharp, and a picture stays below 100 KB. */
const quality = 70;

/** One connection to Chromium. Source: https://chromedevtools.github.io/devtools-protocol/ */
class Browser {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: { result?: object; error?: { message: string } }) => void>();
  #calls = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as { id?: number };
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer as never);
    });
  }

  async call<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#calls;
    const { promise, resolve } = Promise.withResolvers<{ result?: object; error?: { message: string } }>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    const { result, error } = await promise;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }
}

const demo = execa(process.execPath, ["packages/local-github/demo/main.ts"], { cwd: root, reject: false });
let printed = "";
demo.stdout.on("data", (chunk: Buffer) => {
  printed += chunk.toString("utf8");
});
while (!/Ctrl-C/.test(printed) || !/pull request\s+http/.test(printed)) await once(demo.stdout, "data");

const profile = mkdtempSync(join(tmpdir(), "baton-pictures-"));
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"];
const program = execa(chromium, [...flags, `--user-data-dir=${profile}`], { reject: false });
let said = "";
program.stderr.on("data", (chunk: Buffer) => {
  said += chunk.toString("utf8");
});
while (!/ws:\/\/\S+/.test(said)) await once(program.stderr, "data");
const socket = new WebSocket(/ws:\/\/\S+/.exec(said)?.[0] ?? "");
await once(socket, "open");
const browser = new Browser(socket);

for (const { page, file } of pages) {
  const url = new RegExp(`${page}\\s+(http\\S+)`).exec(printed)?.[1];
  if (url === undefined) throw new Error(`The demo printed no address of the ${page}.`);
  for (const { name, width, heightMax, isMobile } of devices) {
    for (const scheme of schemes) {
      const { targetId } = await browser.call<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await browser.call<{ sessionId: string }>("Target.attachToTarget", {
        targetId,
        flatten: true,
      });
      const call = <T>(method: string, params: object): Promise<T> => browser.call<T>(method, params, sessionId);
      const size = { width, height: heightMax, deviceScaleFactor: isMobile ? 2 : 1, mobile: isMobile };
      await call("Emulation.setDeviceMetricsOverride", size);
      await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
      await call("Page.navigate", { url });
      const expression =
        "new Promise((done) => document.readyState === 'complete' ? done(0) : addEventListener('load', () => done(0)))";
      await call("Runtime.evaluate", { expression, awaitPromise: true });
      const { cssContentSize } = await call<{ cssContentSize: { width: number; height: number } }>(
        "Page.getLayoutMetrics",
        {},
      );
      if (cssContentSize.width > width)
        throw new Error(`The ${page} is wider than ${width} pixels: ${cssContentSize.width}.`);
      const clip = { x: 0, y: 0, width, height: Math.min(heightMax, cssContentSize.height), scale: 1 };
      const { data } = await call<{ data: string }>("Page.captureScreenshot", { format: "webp", quality, clip });
      const path = `docs/pictures/${file}${name}-${scheme}.webp`;
      const bytes = Buffer.from(data, "base64");
      writeFileSync(join(root, path), bytes);
      console.log(`${path} ${bytes.length} bytes`);
      await browser.call("Target.closeTarget", { targetId });
    }
  }
}
socket.close();
program.kill();
await program;
rmSync(profile, { recursive: true, force: true });
demo.kill("SIGINT");
await demo;
