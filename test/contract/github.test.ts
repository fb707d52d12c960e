/** Runs the GitHub contract over the local GitHub. Over `emulate` it runs in `test/github/emulate.test.ts`. */
import { appGrants } from "../../packages/local-github/demo/world.ts";
import { startLocalGithub } from "../../packages/local-github/src/local-github.ts";
import { githubContract } from "./github.ts";

githubContract({
  name: "the local GitHub",
  missing: {},
  async start() {
    const github = await startLocalGithub();
    const alice = github.createUser({ login: "alice" });
    const mallory = github.createUser({ login: "mallory" });
    github.createOrganization({ login: "acme", members: ["alice"] });
    await github.createRepository({ owner: "acme", name: "shop", private: false, files: { "README.md": "# shop\n" } });
    github.setPermission({ repository: "acme/shop", login: "alice", permission: "admin" });
    const app = github.createApp({ slug: "baton", ownerLogin: "acme", grants: appGrants, events: [], webhook: null });
    const { id } = github.installApp({ appId: app.id, account: "acme", as: "alice" });
    return {
      apiUrl: github.apiUrl,
      appId: app.id,
      privateKey: app.privateKey,
      installationId: id,
      tokens: { alice: alice.token, mallory: mallory.token },
      close: () => github.close(),
    };
  },
});
