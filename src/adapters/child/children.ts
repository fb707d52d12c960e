/** The child port on this machine. `run.ts` and `family.ts` own how a child ends. */
import type { Children } from "../../ports/child.ts";
import { type Launch, launcherBySize } from "./launcher.ts";
import { LineCutter } from "./lines.ts";
import { run, type StreamName } from "./run.ts";
import { markerVariable } from "./survivors.ts";
import { Transcript } from "./transcript.ts";

/** The streams of one hour's work stay below a tenth of this. */
const followedBytesMax = 256 * 1024 * 1024;

export const childrenBy = (launch: Launch): Children => ({
  async call(spec) {
    const chunks: Record<StreamName, Buffer[]> = { stdout: [], stderr: [] };
    const status = await run(
      {
        ...spec,
        silenceMs: spec.silenceMs ?? null,
        marker: null,
        onChunk(name, chunk) {
          chunks[name].push(chunk);
          if (name === "stderr") spec.onErrorText?.(chunk.toString("utf8"));
        },
      },
      launch,
    );
    return { ...status, stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
  },

  async follow(spec) {
    const transcript = new Transcript();
    const cutter = (name: StreamName): LineCutter =>
      new LineCutter((line) => {
        if (spec.keeps?.(line) !== false) transcript.add(line);
        spec.onLine(line, name);
      });
    const cutters = { stdout: cutter("stdout"), stderr: cutter("stderr") };
    const end = await run(
      {
        ...spec,
        outputBytesMax: followedBytesMax,
        marker: `${markerVariable}=${spec.marker}`,
        onChunk: (name, chunk) => cutters[name].push(chunk),
      },
      launch,
    );
    cutters.stdout.end();
    cutters.stderr.end();
    return { ...end, ...transcript.end() };
  },
});

export const children: Children = childrenBy(launcherBySize);
