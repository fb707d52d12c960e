/** Where package managers keep what they download: below one directory, so that it can be copied and removed as a whole. */
import { join } from "node:path";

/** Sources: the documentation of each tool on its environment variables. */
export function packageVariables(directory: string): Record<string, string> {
  const at = (name: string): string => join(directory, name);
  return {
    npm_config_cache: at("npm"),
    YARN_CACHE_FOLDER: at("yarn"),
    YARN_GLOBAL_FOLDER: at("yarn-berry"),
    // npm would warn of the older name that begins with its own prefix.
    pnpm_config_store_dir: at("pnpm"),
    PIP_CACHE_DIR: at("pip"),
    UV_CACHE_DIR: at("uv"),
    GOMODCACHE: at("go-modules"),
    GOCACHE: at("go-build"),
    // Otherwise Go makes its directories read-only, and they cannot be removed.
    GOFLAGS: "-modcacherw",
    CARGO_HOME: at("cargo"),
    GRADLE_USER_HOME: at("gradle"),
    MAVEN_OPTS: `-Dmaven.repo.local=${at("maven")}`,
  };
}
