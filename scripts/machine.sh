# Sourced by the other scripts: where state lives, how to say what is wrong, how to install.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${HELIOS_STATE:-$root/.state}
mkdir -p "$state"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
fail() { say "$@"; exit 1; }

# need COMMAND PACKAGE...: installs the Debian packages when COMMAND is missing and we may.
need() {
    local command=$1
    shift
    if command -v "$command" >/dev/null 2>&1; then return 0; fi
    command -v apt-get >/dev/null 2>&1 ||
        fail "'$command' is missing and this is not Debian or Ubuntu: install it (there it is in: $*), then run this again"
    [ "$(id -u)" = 0 ] ||
        fail "'$command' is missing and only root may install it: run 'sudo apt-get install -y $*', then run this again"
    say "installing $*"
    if ! install_packages "$@"; then
        apt-get update -qq >"$state/apt.log" 2>&1 || fail "apt-get update failed: see $state/apt.log"
        install_packages "$@" || fail "apt-get install $* failed: see $state/apt.log"
    fi
    command -v "$command" >/dev/null 2>&1 || fail "'$command' is still missing after installing $*"
}

# Debian starts a freshly installed service by itself; here it must not, these scripts start their own.
install_packages() {
    local policy=/usr/sbin/policy-rc.d placed=0 outcome=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        placed=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        >>"$state/apt.log" 2>&1 || outcome=$?
    if [ "$placed" = 1 ]; then rm -f "$policy"; fi
    return "$outcome"
}

# in_background NAME COMMAND...: starts it detached, with NAME/pid and NAME/log in the state directory.
in_background() {
    local name=$1
    shift
    mkdir -p "$state/$name"
    setsid "$@" >>"$state/$name/log" 2>&1 </dev/null &
    echo $! >"$state/$name/pid"
}

# alive NAME PROGRAM: the process of the pidfile lives and still is that program.
alive() {
    local pid
    pid=$(cat "$state/$1/pid" 2>/dev/null) || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "${2:0:15}" ]
}

# stop_background NAME PROGRAM: ends what in_background started, and nothing else.
stop_background() {
    local pid waited=0
    if alive "$1" "$2"; then
        pid=$(cat "$state/$1/pid")
        kill "$pid"
        while alive "$1" "$2" && [ "$waited" -lt 300 ]; do
            sleep 0.1
            waited=$((waited + 1))
        done
        if alive "$1" "$2"; then kill -9 "$pid"; fi
    fi
    rm -f "$state/$1/pid"
}

# until_ready SECONDS COMMAND...: waits until COMMAND succeeds.
until_ready() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
        sleep 0.1
    done
}
