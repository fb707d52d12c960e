/**
 * Asks GitHub about this App: whether GitHub accepts the credentials, and which permissions and events each installation
 * lacks.
 *
 * AC1 The start never waits for it. Baton asks an unreachable GitHub again, with growing pauses.
 * AC2 Only an answer counts as ok. Refused credentials, another App's id and a wrong clock each get their own message.
 */
import { toBatonError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type Granted, missingFrom } from "./permissions.ts";

export interface AppSelf extends Granted {
  id: number;
  slug: string;
}

export interface InstallationSelf extends Granted {
  id: number;
  account: string;
}

export interface SelfReader {
  self(): Promise<AppSelf>;
  installations(): Promise<InstallationSelf[]>;
}

export interface AppStatus {
  state: "unknown" | "ok" | "incomplete" | "refused" | "unreachable";
  app: string | null;
  /** The problem and its remedy. null: there is no problem. */
  message: string | null;
  missing: { where: string; names: string[] }[];
}

export interface AppCheck {
  status(): AppStatus;
  stop(): Promise<void>;
}

interface Options {
  reader: SelfReader;
  appId: number;
  clock: Clock;
  log: Log;
}

const firstPauseMs = 5_000;
const pauseMsMax = 5 * 60_000;
const againMs = 60 * 60_000;

export function startAppCheck(options: Options): AppCheck {
  const stopped = new AbortController();
  let status: AppStatus = { state: "unknown", app: null, message: null, missing: [] };
  const loop = async (): Promise<void> => {
    let pauseMs = firstPauseMs;
    while (!stopped.signal.aborted) {
      const next = await checkApp(options);
      if (stopped.signal.aborted) return;
      if (JSON.stringify(next) !== JSON.stringify(status)) tell(options.log, next);
      status = next;
      const isAnswer = next.state === "ok" || next.state === "incomplete";
      const waitMs = isAnswer ? againMs : pauseMs;
      pauseMs = isAnswer ? firstPauseMs : Math.min(pauseMsMax, pauseMs * 2);
      await options.clock.sleepUntil(options.clock.now() + waitMs, stopped.signal).catch(() => {});
    }
  };
  const running = loop();
  return {
    status: () => status,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** Asks once. Never throws, because a failure is an answer too. */
export async function checkApp({ reader, appId }: Pick<Options, "reader" | "appId">): Promise<AppStatus> {
  const nothing = { app: null, missing: [] };
  try {
    const self = await reader.self();
    if (self.id !== appId)
      return {
        ...nothing,
        state: "refused",
        message: `GitHub says that this key belongs to the App ${self.id} (${self.slug}), not to ${appId}. Set APP_ID to the number on the App's page.`,
      };
    const installations = await reader.installations();
    const missing = [
      { where: `App ${self.slug}`, names: missingFrom(self).map(({ name }) => name) },
      ...installations.map((one) => ({
        where: `installation ${one.account}`,
        names: missingFrom(one).map(({ name }) => name),
      })),
    ].filter(({ names }) => names.length > 0);
    return {
      state: missing.length === 0 ? "ok" : "incomplete",
      app: self.slug,
      missing,
      message:
        missing.length === 0
          ? null
          : "Add what is missing on the App's page, Permissions & events; owners then accept it for their installation. app.yml says what each is for.",
    };
  } catch (thrown) {
    return { ...nothing, ...failed(toBatonError(thrown)) };
  }
}

function failed({ code, message }: { code: string; message: string }): Pick<AppStatus, "state" | "message"> {
  if (code === "BATON_GITHUB_DENIED" || code === "BATON_GITHUB_NOT_FOUND")
    return { state: "refused", message: `GitHub refuses the App's credentials (${message}). ${remedyOf(message)}` };
  if (code === "BATON_GITHUB_UNAVAILABLE" || code === "BATON_GITHUB_LIMITED")
    return { state: "unreachable", message: `GitHub does not answer (${message}). Baton asks again.` };
  // A key that cannot sign fails before Baton sends anything.
  return {
    state: "refused",
    message: `The App's key cannot be used (${message}). Set PRIVATE_KEY or PRIVATE_KEY_PATH to the key of this App.`,
  };
}

/** GitHub's own words: "'Expiration time' claim ('exp') …", "'Issued at' claim ('iat') …", "Integration not found". */
function remedyOf(message: string): string {
  if (/\b(?:exp|iat)\b|Expiration time|Issued at/i.test(message))
    return "The clock of this machine is off: set it by NTP.";
  if (/Integration not found|\b404\b/i.test(message))
    return "No App has this APP_ID: take the number from the App's page.";
  if (/suspended/i.test(message)) return "GitHub suspended the App: see its page.";
  return "Check that APP_ID and PRIVATE_KEY belong to the same App, and that the key was not deleted.";
}

/** One line for each place. */
export function missingText({ missing }: Pick<AppStatus, "missing">): string[] {
  return missing.map(({ where, names }) => `${where}: ${names.join(", ")}`);
}

function tell(log: Log, { state, app, message, missing }: AppStatus): void {
  if (state === "ok") return log.info("GitHub knows this App", { app });
  const details = missingText({ missing });
  if (state === "incomplete")
    return log.warn("The App lacks permissions or events", { app, missing: details, message });
  log[state === "refused" ? "error" : "warn"]("GitHub did not confirm the App", { state, message });
}
