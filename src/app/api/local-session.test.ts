/** Signing in by a link of the terminal: once, on this machine, from no other site. */
import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { describe, expect, it } from "vitest";
import { type ApiWorld, apiWorld } from "../../../test/fakes/api-world.ts";
import { limits } from "../../core/limits.ts";

/** As a browser, with any header. */
function browse(
  { url }: ApiWorld,
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: OutgoingHttpHeaders } = {},
): Promise<{ status: number; text: string; cookie: string | undefined }> {
  return new Promise((resolve, reject) => {
    const { port, host } = new URL(url);
    const json = method === "GET" ? {} : { "content-type": "application/json", "idempotency-key": `${Math.random()}` };
    const sent = httpRequest(
      { host: "127.0.0.1", port, path, method, headers: { host, ...json, ...headers } },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, text, cookie: answer.headers["set-cookie"]?.[0]?.split(";")[0] }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(method === "GET" ? undefined : "{}");
  });
}

const pathOf = (link: string): string => link.slice(new URL(link).origin.length);

async function signedIn(world: ApiWorld): Promise<string> {
  const { status, cookie = "" } = await browse(world, pathOf(world.sessions.link(world.url)));
  expect(status).toBe(303);
  return cookie;
}

describe("a link", () => {
  it("works once, for 5 minutes, and its session for 12 hours", async () => {
    await using world = await apiWorld();
    const link = pathOf(world.sessions.link(world.url));
    const { cookie = "" } = await browse(world, link);
    expect((await browse(world, link)).status).toBe(401);
    const me = async () => (await browse(world, "/api/v1/me", { headers: { cookie } })).status;
    expect(await me()).toBe(200);
    world.clock.advance(limits.apiSessionMs);
    expect(await me()).toBe(401);
    const late = pathOf(world.sessions.link(world.url));
    world.clock.advance(limits.apiLinkMs);
    expect((await browse(world, late)).status).toBe(401);
    expect((await browse(world, "/sign-in?code=guess")).status).toBe(401);
  });

  it.each(["http://0.0.0.0:3000", "https://baton.example.com", "http://192.168.1.7:3000"])(
    "is refused for %s",
    async (url) => {
      await using world = await apiWorld();
      expect(() => world.sessions.link(url)).toThrow("HOST=127.0.0.1");
    },
  );
});

describe("a session", () => {
  it("acts as the operator, who may steer and erase, and the thread says where from", async () => {
    await using world = await apiWorld();
    const cookie = await signedIn(world);
    const { host } = new URL(world.url);
    const cancelled = await browse(world, `/api/v1/runs/${world.run}/cancel`, {
      method: "POST",
      headers: { cookie, origin: `http://${host}` },
    });
    expect(cancelled.status).toBe(200);
    expect((await world.runner.state(world.run))?.cancelRequested?.by).toMatchObject({ id: 0, permission: "admin" });
    expect((await world.said())[0]).toContain("(browser) gave `/baton cancel` on the machine of this Baton.");
  });

  it.each<[string, (host: string) => { method?: string; headers: OutgoingHttpHeaders }]>([
    ["a page of another site that posts", () => ({ method: "POST", headers: { origin: "https://evil.example" } })],
    ["a post without an origin", () => ({ method: "POST", headers: {} })],
    ["a page of another port", () => ({ method: "POST", headers: { origin: "http://127.0.0.1:1" } })],
    ["a name of another site that leads here", () => ({ headers: { host: "evil.example" } })],
    ["a proxy", () => ({ headers: { "x-forwarded-for": "203.0.113.7" } })],
    ["a proxy of the newer header", () => ({ headers: { forwarded: "for=203.0.113.7" } })],
    ["a page of another site that reads", () => ({ headers: { origin: "https://evil.example" } })],
  ])("%s is nobody", async (_, of) => {
    await using world = await apiWorld();
    const cookie = await signedIn(world);
    const { headers, ...rest } = of(new URL(world.url).host);
    const path = rest.method === "POST" ? `/api/v1/runs/${world.run}/cancel` : "/api/v1/runs";
    expect((await browse(world, path, { ...rest, headers: { ...headers, cookie } })).status).toBe(401);
    expect((await world.runner.state(world.run))?.cancelRequested).toBeNull();
  });

  it("approves nothing", async () => {
    await using world = await apiWorld();
    const cookie = await signedIn(world);
    const path = `/api/v1/runs/${world.run}/questions/color/approve`;
    const { host } = new URL(world.url);
    const found = await browse(world, path, { method: "POST", headers: { cookie, origin: `http://${host}` } });
    expect([found.status, found.text]).toEqual([403, expect.stringContaining("decision of a person")]);
  });
});
