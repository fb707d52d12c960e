/** Questions about the server itself. */
import { ok } from "../answer.ts";
import { route } from "../route.ts";

export const metaRoutes = [
  route("GET /meta", "anyone", () =>
    ok({
      verifiable_password_authentication: false,
      hooks: ["127.0.0.1/32"],
      web: ["127.0.0.1/32"],
      api: ["127.0.0.1/32"],
      git: ["127.0.0.1/32"],
      actions: ["127.0.0.1/32"],
    }),
  ),
  route("GET /zen", "anyone", () => ({
    status: 200,
    raw: { bytes: Buffer.from("Half measures are as bad as nothing at all."), type: "text/plain; charset=utf-8" },
  })),
];
