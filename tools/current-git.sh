#!/bin/sh
# Unpacks the git of Debian 13 into a directory and prints the path of its binary, for the tests of workspaces (BATON_TEST_GIT).
# Nothing is installed: apt works in a directory of its own. The package comes with the libraries it needs, so it runs on Debian 12.
set -eu
target=${1:?usage: tools/current-git.sh <directory>}
mkdir -p "$target"
target=$(cd "$target" && pwd)
if [ ! -x "$target/git" ]; then
  rm -rf "$target/apt" "$target/tree"
  mkdir -p "$target/apt/lists/partial" "$target/apt/cache/archives/partial" "$target/tree"
  mirror=$(sed -n 's#^URIs: *\(https*://[^ ]*/debian\)/*$#\1#p; s#^deb \(https*://[^ ]*/debian\)/* .*#\1#p' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keys] ${mirror:?"no Debian mirror in the sources of apt"} trixie main" >"$target/apt/sources.list"
  : >"$target/apt/status"
  apt_here() {
    apt-get -qq -o "Dir::Etc::SourceList=$target/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
      -o "Dir::State::Lists=$target/apt/lists" -o "Dir::Cache=$target/apt/cache" -o "Dir::State::status=$target/apt/status" \
      -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@" >&2
  }
  apt_here update
  apt_here install --download-only --yes --no-install-recommends git
  for package in "$target"/apt/cache/archives/git_*.deb "$target"/apt/cache/archives/lib*.deb "$target"/apt/cache/archives/zlib*.deb; do
    dpkg-deb -x "$package" "$target/tree"
  done
  rm -rf "$target/apt"
  # Each binary is started by the loader and with the libraries it was built for; git finds its other programs through GIT_EXEC_PATH.
  loader=$(find "$target/tree" -name 'ld-linux-*.so.*' | head -n 1)
  libraries=$(dirname "$(find "$target/tree" -name 'libz.so.1' | head -n 1)")
  core=$target/tree/usr/lib/git-core
  mv "$target/tree/usr/bin/git" "$target/tree/git-binary"
  mv "$core/git-remote-http" "$target/tree/git-remote-http-binary"
  wrap() {
    rm -f "$2"
    cat >"$2" <<END
#!/bin/sh
GIT_EXEC_PATH='$core' GIT_TEMPLATE_DIR='$target/tree/usr/share/git-core/templates' \\
  exec '$loader' --library-path '$libraries' --argv0 "\$0" '$1' "\$@"
END
    chmod +x "$2"
  }
  wrap "$target/tree/git-binary" "$core/git"
  wrap "$target/tree/git-remote-http-binary" "$core/git-remote-http"
  wrap "$target/tree/git-binary" "$target/git.new"
  "$target/git.new" --version >&2
  mv "$target/git.new" "$target/git"
fi
echo "$target/git"
