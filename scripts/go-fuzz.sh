#!/usr/bin/env bash
# Runs every Go fuzz target of the module, one after the other, each with so many inputs, and prints what was run as a
# table. It finds the targets itself. An input that fails is left in testdata/fuzz of its package, from where go test
# runs it ever after.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

if (($# > 1)) || [[ ! ${1:-10000} =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: scripts/go-fuzz.sh [TIMES]    TIMES: inputs for each target, 10000 by default" >&2
    exit 2
fi
times=${1:-10000}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

rows=()
code=0
# Only of packages that have some: each has to be built for it.
mapfile -t packages < <(grep -rl --include='*_test.go' --exclude-dir=build '^func Fuzz' . | xargs -r dirname | sort -u)
list=$(go test -list '^Fuzz' "${packages[@]}")
targets=()
for line in $list; do # "FuzzA FuzzB ok iocpnetlib/chat 0.003s": targets, then their package
    case $line in
    Fuzz*) targets+=("$line") ;;
    esac
    if [[ $line == iocpnetlib/* ]]; then
        for target in ${targets[@]+"${targets[@]}"}; do
            printf -- '---- %s %s, %s inputs\n' "$line" "$target" "$times"
            begin=$EPOCHREALTIME
            result=ok
            # Making an interesting input shorter is bounded by a count, too: the default is up to a minute for each.
            # One worker process a core with one Go processor each: with more, half of the time goes into waking threads
            # to move the goroutine of each input (14,500 against 6,500 inputs a second of FuzzDecode on two cores).
            if ! GOMAXPROCS=1 go test -run "^$target\$" -fuzz "^$target\$" -fuzztime "${times}x" \
                -fuzzminimizetime 100x -parallel "$(nproc)" -timeout 0 "$line" >"$log" 2>&1; then
                result=FAILED
                code=1
                cat "$log"
            fi
            seconds=$(((${EPOCHREALTIME/[.,]/} - ${begin/[.,]/}) / 100000))
            # The last line of progress tells how many inputs there were: "fuzz: elapsed: 3s, execs: 10000 (...)".
            inputs=$(sed -n 's/^fuzz: .* execs: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
            rows+=("$(printf '%-26s %-20s %12s %8s.%s  %s' "${line#iocpnetlib/}" "$target" "${inputs:-0}" \
                "$((seconds / 10))" "$((seconds % 10))" "$result")")
        done
        targets=()
    fi
done

((${#rows[@]} > 0)) || {
    echo "go-fuzz.sh: there is no fuzz target" >&2
    exit 1
}
printf '\n%-26s %-20s %12s %10s  %s\n' package target inputs seconds result
printf '%s\n' "${rows[@]}"
exit "$code"
