#!/usr/bin/env bash
# Runs a Windows program of this project under Wine, without a display, in a Wine prefix of its own (build/wine-prefix).
#
#   scripts/wine-exec.sh PROGRAM.exe [ARGS...]     run it; the exit code is the program's
#   scripts/wine-exec.sh --start                   make the prefix if there is none, and keep Wine's server running
#   scripts/wine-exec.sh --stop                    end Wine's server and every program of the prefix
#
# Arguments, environment, working directory, stdin and stdout reach the program as they are. As in
#   GOOS=windows CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go test -exec "$PWD/scripts/wine-exec.sh" ./...
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

export WINEPREFIX=${IOCPNETLIB_WINEPREFIX:-$root/build/wine-prefix}
export WINEARCH=win64
export WINEDEBUG=${WINEDEBUG:--all}
# No .NET, no browser engine, no desktop menus: none is needed, and each would ask for a window or a download.
export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'
unset DISPLAY WAYLAND_DISPLAY

# The 64-bit loader itself where the packages keep it: Debian's wrapper script prints advice about 32-bit Wine first.
find_program() {
    local candidate
    for candidate in "$@"; do
        if candidate=$(command -v "$candidate"); then
            echo "$candidate"
            return
        fi
    done
    echo "wine-exec.sh: none of $* is here; on Debian or Ubuntu: apt-get install wine wine64" >&2
    return 1
}
wine=$(find_program /usr/lib/wine/wine64 wine64 wine)
wineserver=$(find_program /usr/lib/wine/wineserver64 wineserver)

make_prefix() {
    local system32=$WINEPREFIX/drive_c/windows/system32
    mkdir -p "$(dirname "$WINEPREFIX")"
    (
        flock 9 # `go test -exec` may start several programs at once
        if [[ -e $WINEPREFIX/ready ]]; then
            exit
        fi
        rm -rf "$WINEPREFIX"
        "$wine" wineboot -i </dev/null >/dev/null 2>&1
        if [[ ! -e $system32/bcryptprimitives.dll ]]; then
            x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -Werror -shared -s \
                -o "$system32/bcryptprimitives.dll" "$root/native/wine/bcryptprimitives.c" -ladvapi32
        fi
        # The server writes the registry when it ends: only then is the prefix complete.
        "$wineserver" -k || true
        "$wineserver" -w
        touch "$WINEPREFIX/ready"
    ) 9>"$WINEPREFIX.lock"
}

case ${1:-} in
--start)
    make_prefix
    # Without a server that stays, each program would boot Wine anew. 2: it runs already.
    "$wineserver" -p || [[ $? == 2 ]]
    ;;
--stop)
    if [[ -d $WINEPREFIX ]]; then
        "$wineserver" -k || true
        "$wineserver" -w
    fi
    ;;
'' | -*)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
*)
    if [[ ! -e $WINEPREFIX/ready ]]; then
        make_prefix
    fi
    exec "$wine" "$@"
    ;;
esac
