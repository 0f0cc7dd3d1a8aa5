#!/usr/bin/env bash
# Builds, runs, tests and measures IocpNetLib-Go on Linux. `scripts/build.sh help` explains; build.ps1 is its twin on
# Windows.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

usage() {
    cat <<'TEXT'
usage: scripts/build.sh VERB

  build           the native core and the programs, into build/bin
  run [OPTIONS]   build, then start chatserver on port 11021; OPTIONS go to chatserver, e.g. --port 12000 --core go
  test [PARTS]    everything that CI checks, or only PARTS of it:
                    lint     formatting, linters for Go and C++, shell and PowerShell scripts, the CI workflow
                    go       go vet, the Go tests with the race detector, and without cgo
                    native   the C++ tests under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
                    fuzz     each fuzzer for some seconds, from the inputs in the repository on
                    web      the browser's client: its modules, its page in Chromium, and with the server
                    windows  the Windows build with MinGW-w64, its C++ and Go tests under Wine
  soak [ARGS]     build, then put chatserver under load with chatsoak ARGS; without any, for an hour, with the picture
                  docs/soak.svg at the end. "soak help" lists its scenarios
  fuzz [RUNS]     each fuzzer for RUNS inputs (default: 10000000), and then a table of them
  bench [PART [ARGS]]  measure; without PART the first two of them:
                    micro      the micro-benchmarks of the C++ core and of the Go packages
                    scenarios  servers of this project and its peers under chatbench, interleaved; the tables of
                               docs/benchmarks.md. ARGS are e.g. --rounds 3 --rows echo-64x1,room-10x100x8
                               --servers go-core,cpp-epoll --core PATH; --help lists them
                    wine       echoserver.exe and IocpNetLib.dll under Wine; ARGS as above, and --original COMMAND for
                               the server of the book
  screenshots     the pictures in docs/images: the admin page and the browser's client in Chromium, and the chat client
  help            this text

What is missing (CMake, Ninja, a C++ compiler; for tests also GoogleTest, MinGW-w64, Wine, ...) is installed with
apt-get, which is said beforehand. Go 1.26 or newer must be there already.

environment:
  CC, CXX         compiler of the core and of cgo (default: gcc and g++; GCC 12 or Clang 16 at least)
  GOFLAGS, ...    Go's own variables are honoured
  CI=true         test fails where it would otherwise skip a part that cannot run on this machine
TEXT
}

# ---------------------------------------------------------------------------------------------------------- messages

say() { echo "build.sh: $*"; }

fail() {
    echo "build.sh: $*" >&2
    exit 1
}

in_ci() { [[ ${CI:-} == true ]]; }

duration() {
    local seconds=$1
    if ((seconds < 60)); then
        echo "$seconds s"
    else
        echo "$((seconds / 60)) min $((seconds % 60)) s"
    fi
}

current_step=
steps_done=0
skipped=()

# How long each step took the last time: lines of "seconds title".
step_times=build/step-times.txt

# last_time TITLE: how long it took the last time, in words; nothing if that is not known.
last_time() {
    local seconds title
    [[ -r $step_times ]] || return 0
    while read -r seconds title; do
        if [[ $title == "$1" ]]; then
            echo " (last time $(duration "$seconds"))"
        fi
    done <"$step_times"
}

# keep_time TITLE SECONDS
keep_time() {
    local seconds title
    mkdir -p build
    touch "$step_times"
    {
        while read -r seconds title; do
            [[ $title == "$1" ]] || echo "$seconds $title"
        done <"$step_times"
        echo "$2 $1"
    } >"$step_times.new"
    mv "$step_times.new" "$step_times"
}

# step TITLE COMMAND...: runs COMMAND under a heading. set -e stays in force inside it: the first error ends the script.
step() {
    local begin=$SECONDS
    current_step=$1
    shift
    printf '\n==== %s%s\n' "$current_step" "$(last_time "$current_step")"
    "$@"
    printf -- '---- %s: ok, %s\n' "$current_step" "$(duration $((SECONDS - begin)))"
    keep_time "$current_step" $((SECONDS - begin))
    steps_done=$((steps_done + 1))
    current_step=
}

# skip WHAT WHY: one line, and an error in CI, where nothing may be left out.
skip() {
    if in_ci; then
        current_step=$1
        fail "$2; CI never skips this"
    fi
    say "skipping $1: $2"
    skipped+=("$1")
}

wine_started=false
finish() {
    local code=$?
    if $wine_started; then
        scripts/wine-exec.sh --stop || true
    fi
    if ((code != 0)) && [[ -n $current_step ]]; then
        printf '\n==== FAILED, exit code %d: %s\n' "$code" "$current_step" >&2
    fi
}
trap finish EXIT

# ------------------------------------------------------------------------------------------------- what must be there

has() { command -v "$1" >/dev/null 2>&1; }

missing=()

# need COMMAND-OR-FILE PACKAGE...: notes the packages if it is not there.
need() {
    if [[ $1 == /* ]]; then
        [[ -e $1 ]] || missing+=("${@:2}")
    else
        has "$1" || missing+=("${@:2}")
    fi
}

apt_updated=false

# Installs what need noted; false, with one line that names the command, if that cannot be done.
install_missing() {
    local packages=("${missing[@]}") as_root=() log=build/apt-get.log
    missing=()
    if ((${#packages[@]} == 0)); then
        return 0
    fi
    if ! has apt-get; then
        say "missing, and there is no apt-get here to install it with: ${packages[*]} (Debian's package names)"
        return 1
    fi
    if ((EUID != 0)); then
        if ! has sudo; then
            say "missing: ${packages[*]}; as root, run: apt-get update && apt-get install ${packages[*]}"
            return 1
        fi
        as_root=(sudo)
    fi
    say "installing what is missing with ${as_root[*]:+${as_root[*]} }apt-get install: ${packages[*]}"
    mkdir -p build
    : >"$log"
    if ! $apt_updated; then
        # One list that cannot be read need not stop this: the packages may be in the others.
        "${as_root[@]}" apt-get update >>"$log" 2>&1 || true
        apt_updated=true
    fi
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${packages[@]}" >>"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        say "could not install it; try: ${as_root[*]:+${as_root[*]} }apt-get install ${packages[*]}"
        return 1
    fi
    hash -r
}

need_go() {
    if ! has go && [[ -x /usr/local/go/bin/go ]]; then
        PATH=$PATH:/usr/local/go/bin
    fi
    has go || fail "Go is missing: install Go 1.26 or newer as https://go.dev/doc/install says, and put it on the PATH"
    # With GOTOOLCHAIN=local an older Go refuses go.mod; any newer one fetches the toolchain that go.mod asks for.
    go list -m >/dev/null || fail "this Go ($(go env GOVERSION)) cannot read go.mod: install Go 1.26 or newer"
}

# major COMPILER: its major version ("12.2.0", or MinGW's "12-posix", is 12), 0 if it is not there.
major() {
    local version
    version=$("$1" -dumpversion 2>/dev/null) || version=0
    echo "${version%%[!0-9]*}"
}

is_clang() { "$1" --version 2>/dev/null | grep -qi clang; }

# Clang before 19 does not see std::expected in GCC's library: the core is then built with LLVM's, libc++.
need_libcxx() {
    local version
    version=$(major "$1")
    if ((version < 19)); then
        need "/usr/lib/llvm-$version/include/c++/v1/expected" "libc++-$version-dev" "libc++abi-$version-dev"
    fi
}

# The C and C++ compilers of the native release build, and the preset that goes with them.
release_preset=gcc
cc=gcc
cxx=g++

choose_compiler() {
    local version
    if [[ -n ${CXX:-} || -n ${CC:-} ]]; then
        cxx=${CXX:-}
        cc=${CC:-}
        if [[ -z $cxx ]]; then # the C++ twin of CC: gcc-12 and g++-12, clang-16 and clang++-16
            cxx=${cc/clang/clang++}
            [[ $cxx != "$cc" ]] || cxx=${cc/gcc/g++}
        elif [[ -z $cc ]]; then
            cc=${cxx/clang++/clang}
            [[ $cc != "$cxx" ]] || cc=${cxx/g++/gcc}
        fi
        has "$cxx" || fail "the C++ compiler $cxx is not there (CC=${CC:-} CXX=${CXX:-})"
    elif ((missing_gxx == 1)); then
        # Ubuntu 22.04 has GCC 12 beside its default one.
        cc=gcc-12
        cxx=g++-12
    fi
    if is_clang "$cxx"; then
        release_preset=clang
        version=$(major "$cxx")
        ((version >= 16)) || fail "$cxx is Clang $version: Clang 16 at least is needed"
        need_libcxx "$cxx"
        install_missing || fail "$cxx cannot build the core without libc++"
    else
        release_preset=gcc
        version=$(major "$cxx")
        ((version >= 12)) || fail "$cxx is GCC $version: GCC 12 at least is needed"
    fi
}

missing_gxx=0

need_native_tools() {
    need_go
    need cmake cmake
    need ninja ninja-build
    need git git
    if [[ -z ${CC:-} && -z ${CXX:-} ]]; then
        need gcc gcc libc6-dev
        need g++ g++
    fi
    install_missing || fail "cannot build without them"
    if [[ -z ${CC:-} && -z ${CXX:-} ]] && (($(major g++) < 12)); then
        missing_gxx=1
        need g++-12 g++-12
        install_missing || fail "g++ here is GCC $(major g++), and GCC 12 at least is needed"
    fi
    choose_compiler
    export CGO_ENABLED=1
}

# ------------------------------------------------------------------------------------------------------------- builds

# Set to a command that starts others without address space randomisation where the sanitizers need that.
no_aslr=()

# cmake_preset NAME [-D...]: configures and builds one preset. Quiet but for warnings, errors and what it compiles.
cmake_preset() {
    local preset=$1
    shift
    if ! cmake -S native --preset "$preset" "$@" --no-warn-unused-cli --log-level=WARNING >build/cmake.log; then
        cat build/cmake.log >&2
        return 1
    fi
    # What is compiled, of how many files, how far that is and for how long: one line that changes, on a terminal.
    NINJA_STATUS='[%f/%t, %p, %e s] ' "${no_aslr[@]}" cmake --build "build/native/$preset"
}

build_core() {
    cmake_preset "$release_preset" "-DCMAKE_C_COMPILER=$cc" "-DCMAKE_CXX_COMPILER=$cxx" "$@"
}

build_programs() {
    go build -o build/bin/ ./cmd/...
    ls build/bin
}

verb_build() {
    need_native_tools
    mkdir -p build/bin
    step "native core ($cxx)" build_core
    step 'programs' build_programs
}

verb_run() {
    verb_build
    printf '\n==== chatserver %s\n' "$*"
    exec build/bin/chatserver "$@"
}

verb_soak() {
    if (($# == 0)); then
        set -- soak --duration 1h --svg docs/soak.svg --csv build/soak.csv
    fi
    verb_build
    printf '\n==== chatsoak %s\n' "$*"
    exec build/bin/chatsoak "$@"
}

verb_bench() {
    local part=${1:-all}
    shift || true
    case $part in
    all)
        bench_micro
        bench_scenarios
        ;;
    micro)
        if (($#)); then
            echo "build.sh: bench micro takes no arguments, and got: $*" >&2
            exit 2
        fi
        bench_micro
        ;;
    scenarios) bench_scenarios "$@" ;;
    wine) bench_wine "$@" ;;
    *)
        echo "build.sh: bench has no part $part; its parts are micro, scenarios and wine" >&2
        exit 2
        ;;
    esac
}

bench_micro() {
    need_native_tools
    need /usr/include/benchmark/benchmark.h libbenchmark-dev
    if install_missing; then
        mkdir -p build/bin
        step 'native core and its benchmarks' build_core -DIOCPNETLIB_BENCH=ON
        step 'benchmarks: C++' run_native_benchmarks
    else
        skip 'the C++ benchmarks' 'Google Benchmark is missing'
        step 'native core' build_core
    fi
    step 'benchmarks: Go' go test -run '^$' -bench . -benchmem ./bridge/ ./chat/ ./cmd/echoserver/
}

# The runner counts system calls with perf; without it, it says so and leaves them out.
bench_scenarios() {
    need_native_tools
    need perf linux-perf
    install_missing || skip 'the count of system calls' 'perf is missing'
    mkdir -p build/bin build/bench/bin
    step "native core ($cxx)" build_core
    step 'programs' build_programs
    step 'peers: C++' build_native_peers
    step 'peers: Go' go -C bench/peers build -o "$root/build/bench/bin/gopeer" .
    step 'runner' go build -o build/bench/bin/runner ./bench/runner
    mkdir -p build/bench/certificate
    step 'certificate' build/bin/chatserver certificate --folder build/bench/certificate --force
    step 'scenarios' build/bench/bin/runner --command "scripts/build.sh bench scenarios${*:+ $*}" "$@"
}

bench_wine() {
    need_native_tools
    need_windows_tools 'the benchmarks under Wine' || return 0
    mkdir -p build/bin build/bench/bin
    step 'IocpNetLib.dll' cmake_preset mingw
    step 'Windows programs' windows_programs
    step 'chatbench and runner' go build -o build/bench/bin/ ./bench/runner ./cmd/chatbench
    step 'Wine' start_wine
    # The first program starts Wine's services, which would keep the runner's pipes.
    scripts/wine-exec.sh build/windows/bin/echoserver.exe --help </dev/null >/dev/null 2>&1
    step 'scenarios' build/bench/bin/runner --wine --programs build/bench/bin \
        --command "scripts/build.sh bench wine${*:+ $*}" "$@"
    scripts/wine-exec.sh --stop
    wine_started=false
}

# The peers need neither the core nor Google Benchmark, so they are configured by themselves.
build_native_peers() {
    local folder=build/native/peers
    cmake -S native/bench/peers -B "$folder" -G Ninja "-DCMAKE_CXX_COMPILER=$cxx" --log-level=WARNING >/dev/null
    cmake --build "$folder"
    install "$folder/EpollPeer" "$folder/IoUringPeer" build/bench/bin/
}

run_native_benchmarks() {
    "$(find_built "build/native/$release_preset" IocpNetLibBench)"
}

# find_built FOLDER NAME: the program NAME wherever CMake put it in FOLDER.
find_built() {
    local found
    found=$(find "$1" -type f -name "$2" -print -quit)
    [[ -n $found ]] || fail "$2 was not built in $1"
    echo "$found"
}

# -------------------------------------------------------------------------------------------------------- screenshots

verb_screenshots() {
    verb_build
    need chromium chromium fonts-noto-cjk
    install_missing || fail 'Chromium draws the admin page'
    mkdir -p docs/images
    IOCPNETLIB_SCREENSHOTS=$root/docs/images go test -count=1 -timeout 5m -run '^TestDashboardInABrowser$' ./cmd/chatserver
    IOCPNETLIB_SCREENSHOTS=$root/docs/images go test -count=1 -timeout 5m -run '^TestPictureOfTheClient$' ./cmd/chatclient
    SCREENSHOTS=$root/docs/images web_client test:server
    ls docs/images
}

# -------------------------------------------------------------------------------------------------------------- tests

# shellcheck source=scripts/tests.sh
source scripts/tests.sh

# --------------------------------------------------------------------------------------------------------------- main

verb=${1:-help}
shift || true
case $verb in
build)
    if (($#)); then
        echo "build.sh: $verb takes no arguments, and got: $*" >&2
        exit 2
    fi
    ;;&
build | run | test | fuzz | soak | bench | screenshots)
    "verb_$verb" "$@"
    ;;
help | -h | --help)
    usage
    ;;
*)
    echo "build.sh: there is no verb $verb" >&2
    usage >&2
    exit 2
    ;;
esac
