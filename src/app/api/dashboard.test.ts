/** The first pages: for whom, with which policy, and without any way from text to markup. */
import { Script } from "node:vm";
import { expect, it } from "vitest";
import { apiWorld } from "../../../test/fakes/api-world.ts";

it("a page is for people who signed in; everybody else learns how, and gets no script", async () => {
  await using world = await apiWorld();
  const token = await world.token({ scope: "admin" });
  for (const given of [{}, { token }])
    for (const path of ["/dashboard", "/dashboard/app.js", "/dashboard/x"]) {
      const found = await world.ask("GET", path, given);
      expect([found.status, found.text]).toEqual([401, expect.stringContaining("baton open")]);
    }
  const link = world.sessions.link(world.url);
  const signedIn = await fetch(link, { redirect: "manual" });
  expect(signedIn.headers.get("location")).toBe("/dashboard");
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const page = await world.ask("GET", "/dashboard", { headers: { cookie } });
  expect([page.status, page.headers.get("content-security-policy")]).toEqual([
    200,
    expect.stringContaining("script-src 'self'"),
  ]);
  // No inline script, no style, no other address.
  expect(page.text).not.toMatch(/<script>|style=|https?:|\son\w+=/);
  const script = await world.ask("GET", "/dashboard/app.js", { headers: { cookie } });
  expect(() => new Script(script.text)).not.toThrow();
  expect(script.text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?:/);
  expect((await world.ask("GET", "/dashboard/x", { headers: { cookie } })).status).toBe(404);
});
