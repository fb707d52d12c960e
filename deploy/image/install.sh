#!/bin/sh
# The steps of Baton's image: install.sh <package> [harnesses]. Runs as root on Debian 13 with Node 24.
# `npm run prove -- image` runs the same steps in a root of its own, without Docker.
set -eu
package=$1
harnesses=${2:-}

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends bubblewrap ca-certificates git tini
rm -rf /var/lib/apt/lists/*

# PostgreSQL is the database of a container; the embedded one stays out.
npm install --global --omit=optional --no-audit --no-fund "$package"
for harness in $harnesses; do npm install --global --no-audit --no-fund "$harness"; done
npm cache clean --force >/dev/null 2>&1

# A number that no user of the host is likely to have.
useradd --uid 10001 --create-home --home-dir /var/lib/baton --shell /usr/sbin/nologin baton
chmod 700 /var/lib/baton

node --version
git --version
bwrap --version
baton --version
