/**
 * Baton's secrets that other processes of the same user can see, because an agent is such a process. Blanks the secrets that
 * this process shows, and names those that others show. Names only, never values.
 */
import { ancestorsThatShow, forgetEnvironment } from "../adapters/system/forget-environment.ts";
import { openSecretFiles } from "./secret-files.ts";

export interface SecretsOptions {
  secrets: readonly string[];
  /** null: there is no such file. */
  envFile: string | null;
  /** The process is not Baton's own, so it still reads its variables. */
  keep: boolean;
}

/** A warning for each place that still shows a secret. */
export function hideSecrets({ secrets, envFile, keep }: SecretsOptions): string[] {
  const open = openSecretFiles(process.env, envFile);
  const shown = ancestorsThatShow(secrets);
  const isBlank = forgetEnvironment(secrets, { keep }) || process.platform !== "linux";
  return [
    ...open,
    ...(isBlank
      ? []
      : ["This system does not let Baton blank its own environment: agents may read it. Keep secrets in files."]),
    ...shown.map(
      ({ pid, program, names }) =>
        `${names.join(", ")} in the environment of \`${program}\` (process ${pid}), which started Baton: an agent of the same user can read it. Move each into \`.env\` (mode 600) or a file (\`PRIVATE_KEY_PATH\`, \`WEBHOOK_SECRET_FILE\`), with systemd by \`LoadCredential\`, and start again from a shell without it. See docs/guides/install.md.`,
    ),
  ];
}
