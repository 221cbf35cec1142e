#!/bin/sh
# What the tests need beyond Python, from Debian's packages. `make test` calls this when it runs as root on Debian.
set -eu

missing=""
need() { # need PACKAGE PROGRAM...
    package=$1; shift
    for program in "$@"; do
        # shellcheck disable=SC2086 - the pattern is meant to be expanded
        command -v "$program" >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/"$program" >/dev/null 2>&1 || {
            missing="$missing $package"; return
        }
    done
}
need postgresql initdb pg_ctl
need chromium chromium
need firefox-esr firefox-esr

[ -z "$missing" ] && exit 0
echo "Installing for the tests:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 - a list of package names
apt-get install -y -qq --no-install-recommends $missing >/dev/null
