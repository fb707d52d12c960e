import { inline } from "../quote.ts";
import type { PromptSection } from "../section.ts";

const hostsMax = 30;

/** Without this section, agents spend turns on installs that the sandbox denies. */
export const network: PromptSection = {
  name: "network",
  stratum: "runtime",
  summary: "Hosts that the sandbox of this step lets it reach (`sandbox.network`).",
  write: ({ harness: { network: hosts = null } }) =>
    hosts === null
      ? null
      : {
          heading: "Your sandbox",
          body: [
            "You can write the worktree and the temporary directory. Other paths are read-only or hidden.",
            hosts.length === 0
              ? "You have no network besides your model."
              : `Your network is ${hosts
                  .slice(0, hostsMax)
                  .map((host) => `\`${inline(host)}\``)
                  .join(
                    ", ",
                  )}${hosts.length > hostsMax ? " and more hosts of this kind" : ""}, through the proxy in \`HTTPS_PROXY\`.`,
            "Do not look for ways around it. If the task needs another host, say which one in your report.",
          ].join(" "),
        },
};
