/** Pauses that a server asks for and nobody could keep: negative, endless, in the past, or invalid. */
import { RateBudget } from "../../../../src/adapters/github/rate-budget.ts";
import { Requester } from "../../../../src/adapters/github/request.ts";
import { isBatonError } from "../../../../src/core/errors.ts";
import { ManualClock } from "../../../fakes/manual-clock.ts";
import { type Cause, defineCause } from "../cause.ts";

/** GitHub's longest window, and a minute for requests under way. */
const waitMsMax = 3_660_000;

const absurd = defineCause<{ after: string | null; reset: string | null; status: 403 | 429 }>({
  name: "pause of GitHub that nobody could keep",
  surface: "webhook",
  guard: "src/adapters/github/asked-pause.ts AP1: from 0 to an hour, whatever the header says",
  fixed: [
    { after: "-5", reset: null, status: 429 },
    { after: "1000000000", reset: null, status: 403 },
    { after: "Wed, 21 Oct 2015 07:28:00 GMT", reset: null, status: 429 },
    { after: "Mon, 30 Nov 9026 12:00:00 GMT", reset: null, status: 429 },
    { after: "soon", reset: null, status: 403 },
    { after: "1e300", reset: null, status: 429 },
    { after: null, reset: "999999999999", status: 403 },
  ],
  draw(draw) {
    const far = `${draw.whole(1e7, 9e11)}`;
    const after = draw.one([
      `-${draw.whole(1, 1e9)}`,
      far,
      `${draw.whole(2, 9)}e${draw.whole(5, 300)}`,
      draw.word(),
      "Infinity",
      "0x7fffffff",
    ]);
    return draw.flip()
      ? { after, reset: null, status: draw.one([403, 429]) }
      : {
          after: draw.flip() ? draw.word() : null,
          reset: draw.one([far, `-${far}`, draw.word()]),
          status: draw.one([403, 429]),
        };
  },
  async attack({ after, reset, status }, guarded) {
    const clock = new ManualClock();
    const budget = new RateBudget(clock);
    const headers = {
      "content-type": "application/json",
      ...(after === null ? {} : { "retry-after": after }),
      ...(reset === null ? {} : { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }),
    };
    const answer = async (): Promise<Response> =>
      new Response('{"message":"secondary rate limit"}', { status, headers });
    const requester = new Requester({
      baseUrl: "https://api.github.test",
      authorise: async () => "token t",
      clock,
      budget,
      fetch: answer,
    });
    const thrown: unknown = await requester.get("/a").catch((error: unknown) => error);
    if (!isBatonError(thrown) || thrown.code !== "BATON_GITHUB_LIMITED") return "the limit was not seen";
    // Without the guard, the header is the pause, and the same budget keeps it.
    const pauseMs = guarded ? (thrown.retryAfterMs ?? 0) : Number(after ?? reset) * 1_000;
    if (!guarded) budget.block(pauseMs);
    const blockedMs = budget.blockedUntil - clock.now();
    const isTime = (ms: number): boolean => ms >= 0 && ms <= waitMsMax;
    return isTime(pauseMs) && isTime(blockedMs) ? null : `a pause of ${pauseMs} ms, blocked for ${blockedMs} ms`;
  },
});

export const pauseCauses: readonly Cause[] = [absurd];
