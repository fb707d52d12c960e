/** Turns the code of a registered manifest into the App's credentials. GitHub gives them once, to anyone who has the code. */
import { z } from "zod";
import { BatonError } from "../../core/errors.ts";

const answerSchema = z.object({
  id: z.number().int(),
  slug: z.string(),
  html_url: z.url({ protocol: /^https?$/ }),
  pem: z.string(),
  webhook_secret: z.string(),
});
export type RegisteredApp = z.infer<typeof answerSchema>;

const timeoutMs = 20_000;

/** Source: https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest */
export async function convertManifest({ apiUrl, code }: { apiUrl: string; code: string }): Promise<RegisteredApp> {
  const url = `${apiUrl}/app-manifests/${encodeURIComponent(code)}/conversions`;
  const response = await fetch(url, {
    method: "POST",
    headers: { accept: "application/vnd.github+json", "user-agent": "baton" },
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new BatonError("BATON_GITHUB_UNAVAILABLE", `${apiUrl} does not answer.`, { cause });
  });
  const parsed = answerSchema.safeParse(await response.json().catch(() => null));
  if (response.ok && parsed.success) return parsed.data;
  throw new BatonError(
    response.status >= 500 ? "BATON_GITHUB_UNAVAILABLE" : "BATON_GITHUB_NOT_FOUND",
    `GitHub does not know this code (status ${response.status}). It is good for one hour, and once. Register the App again.`,
  );
}
