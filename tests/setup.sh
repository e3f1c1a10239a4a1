#!/bin/sh
# setup.sh build|test - installs what building (or testing) needs and this system lacks.
# On Debian and its relatives it installs with apt-get; elsewhere it names what is missing.
# Nothing is done where nothing is missing. A stamp in build/ makes the next call instant.
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-build}
stamp=build/setup.$purpose
log=build/setup.log
if [ -e "$stamp" ] && [ "$stamp" -nt tests/setup.sh ]; then
    exit 0
fi
mkdir -p build
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

have() {
    command -v "$1" >/dev/null 2>&1
}

# links COMPILER HEADER [FLAG...] - can an empty program be built?
links() {
    compiler=$1 header=$2
    shift 2
    printf '#include <stdio.h>\n#include <%s>\nint main(void) { return 0; }\n' "$header" |
        "$compiler" -x c -o "$scratch/probe" - "$@" >/dev/null 2>&1
}

# The sanitizers of clang come in a package that carries clang's version in its name.
clang_runtime() {
    version=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    for package in "libclang-rt-$version-dev" "libclang-common-$version-dev"; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            echo "$package"
            return
        fi
    done
    echo compiler-rt
}

# One Debian package a line. What is looked for is what the package is for, so that a tool from
# elsewhere counts as well.
missing() {
    have gcc || echo gcc
    links gcc stdlib.h || echo libc6-dev
    have ar || echo binutils
    links gcc jansson.h -ljansson || echo libjansson-dev
    links gcc sqlite3.h -lsqlite3 || echo libsqlite3-dev
    links gcc xxhash.h || echo libxxhash-dev
    links gcc zlib.h -lz || echo zlib1g-dev
    # optional: where they cannot be installed, the program is built without them
    links gcc zstd.h -lzstd || ! have apt-get || echo libzstd-dev
    links gcc rocksdb/c.h -lrocksdb || ! have apt-get || echo librocksdb-dev
    have gnuplot || echo gnuplot-nox
    if [ "$purpose" = test ]; then
        links gcc stdlib.h -fsanitize=address,undefined || echo gcc
        links gcc check.h -lcheck -lsubunit -lrt -lm -lpthread || printf 'check\nlibsubunit-dev\n'
        have clang || echo clang
        links clang stdlib.h -fsanitize=address,undefined || clang_runtime
        have groff || echo groff-base
        have script || echo bsdutils
        have pgrep || echo procps
        have sqlite3 || echo sqlite3
    fi
}

list_missing() {
    missing | sort -u | tr '\n' ' ' | sed 's/ $//'
}

stop() {
    echo "setup: $*" >&2
    exit 1
}

packages=$(list_missing)
if [ -n "$packages" ]; then
    have apt-get || stop "missing, and no apt-get here to install it; Debian's names: $packages"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || stop "missing, and only root can install it: apt-get install $packages"
        as_root='sudo'
        echo "setup: installing with sudo, which may ask for your password"
    fi
    if ! $as_root apt-get update -q >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        stop "'apt-get update' failed (all of it: $log); still missing: $packages"
    fi
    packages=$(list_missing) # the fresh lists know which version of clang's runtime to take
    echo "setup: installing $packages"
    # shellcheck disable=SC2086 # one word a package
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $packages >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        stop "installing failed (all of it: $log); by hand: apt-get install $packages"
    fi
    packages=$(list_missing)
    [ -z "$packages" ] || stop "installed, yet not usable: $packages (see $log)"
fi
: >"$stamp"
