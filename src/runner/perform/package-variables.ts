/** Where package managers keep downloads: below one directory, so that Baton can copy and remove it as a whole. */
import { join } from "node:path";

/** Sources: each tool's documentation of its environment variables. */
export function packageVariables(directory: string): Record<string, string> {
  const at = (name: string): string => join(directory, name);
  return {
    npm_config_cache: at("npm"),
    YARN_CACHE_FOLDER: at("yarn"),
    YARN_GLOBAL_FOLDER: at("yarn-berry"),
    // The older name begins with npm's own prefix, so npm would warn about it.
    pnpm_config_store_dir: at("pnpm"),
    PIP_CACHE_DIR: at("pip"),
    UV_CACHE_DIR: at("uv"),
    GOMODCACHE: at("go-modules"),
    GOCACHE: at("go-build"),
    // Otherwise Go makes its directories read-only, and Baton cannot remove them.
    GOFLAGS: "-modcacherw",
    CARGO_HOME: at("cargo"),
    GRADLE_USER_HOME: at("gradle"),
    MAVEN_OPTS: `-Dmaven.repo.local=${at("maven")}`,
  };
}
