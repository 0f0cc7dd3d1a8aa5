#!/usr/bin/env bash
# The parts of `scripts/build.sh test`, and its fuzzers: build.sh reads this file, which is no program of its own.
#
# shellcheck disable=SC2034,SC2154 # variables that build.sh reads and sets

check_go_format() {
    local unformatted
    unformatted=$(find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o -name '*.go' -print0 |
        xargs -0 -r gofmt -l)
    [[ -z $unformatted ]] || fail "gofmt would change: ${unformatted//$'\n'/ }"
}

# The version of clang-format and clang-tidy, which others do not agree with in everything.
llvm=16

native_sources() {
    find native \( -name '*.h' -o -name '*.cpp' -o -name '*.c' \) -print0
}

check_native_format() {
    native_sources | xargs -0 "clang-format-$llvm" --dry-run -Werror ||
        fail "clang-format-$llvm -i would change the files above"
    echo "clang-format-$llvm: native"
}

# The core as it is compiled on Linux; each file by itself, as many at once as there are processors.
check_native_code() {
    local folder=build/native/clang-tidy files
    cmake -S native --preset clang -B "$folder" --log-level=WARNING \
        "-DCMAKE_C_COMPILER=clang-$llvm" "-DCMAKE_CXX_COMPILER=clang++-$llvm" >build/cmake.log
    mapfile -t files < <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$folder/compile_commands.json")
    ((${#files[@]} > 0)) || fail "no file is named in $folder/compile_commands.json"
    # How many findings there were in the system's headers, which are not looked at, is of no interest.
    printf '%s\0' "${files[@]}" |
        xargs -0 -n 1 -P "$(nproc)" "clang-tidy-$llvm" -p "$folder" --quiet 2>&1 |
        sed '/^[0-9]* warnings\{0,1\} generated\.$/d'
    echo "clang-tidy-$llvm: ${#files[@]} files of native/IocpNetLib"
}

lint_native() {
    need "clang-format-$llvm" "clang-format-$llvm"
    if install_missing; then
        step 'C++ format' check_native_format
    else
        skip 'the check of the C++ format' "clang-format-$llvm is missing"
    fi
    need "clang-tidy-$llvm" "clang-tidy-$llvm"
    need "clang++-$llvm" "clang-$llvm"
    need "/usr/lib/llvm-$llvm/include/c++/v1/expected" "libc++-$llvm-dev" "libc++abi-$llvm-dev"
    if install_missing; then
        step 'C++ linters' check_native_code
    else
        skip 'the C++ linters' "clang-tidy-$llvm, or its libc++, is missing"
    fi
}

golangci_lint=build/golangci-lint

build_golangci_lint() {
    go -C scripts/golangci-lint build -buildvcs=false -trimpath '-ldflags=-s -w' -o "$root/$golangci_lint" \
        github.com/golangci/golangci-lint/v2/cmd/golangci-lint
    "$golangci_lint" version
}

check_peers_code() {
    (cd bench/peers && "$root/$golangci_lint" run)
}

lint_go() {
    step 'gofmt' check_go_format
    step 'golangci-lint: build' build_golangci_lint
    step 'Go linters' "$golangci_lint" run
    # Without cgo, which would need MinGW-w64, and so without what only the bridge to the native core uses.
    step 'Go linters: Windows' env GOOS=windows CGO_ENABLED=0 "$golangci_lint" run --disable unused
    step 'Go linters: the peers of the benchmarks' check_peers_code
}

check_shell_scripts() {
    shellcheck -x scripts/*.sh .ci/run
    echo "shellcheck: scripts/*.sh .ci/run"
}

check_yaml() {
    yamllint --strict -d '{extends: default, rules: {document-start: disable, truthy: {check-keys: false},
        line-length: {max: 120}}}' .github/workflows .golangci.yml deploy
    echo "yamllint: .github/workflows .golangci.yml deploy"
}

check_powershell() {
    # npm may name its own settings' warnings on stderr: they matter only if it fails.
    (cd scripts/powershell-syntax && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
    node scripts/powershell-syntax/check.mjs --self-test scripts/build.ps1
    node scripts/powershell-syntax/check.mjs scripts/*.ps1
}

test_lint() {
    lint_go
    lint_native
    need shellcheck shellcheck
    need yamllint yamllint
    if install_missing; then
        step 'shell scripts' check_shell_scripts
        step 'CI workflow and other YAML' check_yaml
    else
        skip 'the checks of shell scripts and of the CI workflow' 'shellcheck or yamllint is missing'
    fi
    need node nodejs
    need npm npm
    if install_missing; then
        step 'PowerShell syntax' check_powershell
    else
        skip 'the PowerShell syntax check' 'Node.js or npm is missing'
    fi
}

# The tests that run chatserver as it is installed, where it has to find the core's library beside itself.
installed_tests='^(TestAliceAndBob|TestTheBehaviourTable|TestEveryWayToStop|TestService)$'

# Flags of every run of the Go tests. Tests that run at once mostly wait: more of them than there are processors may.
go_test_flags=(-count=1 -parallel 8)

installed_go_tests() {
    env -u IOCPNETLIB_CORE IOCPNETLIB_CHATSERVER="$root/build/bin/chatserver" \
        go test "${go_test_flags[@]}" -timeout 5m ./cmd/chatserver -run "$installed_tests"
}

test_go() {
    need ip iproute2 # for the tests that have network namespaces of their own
    has google-chrome || need chromium chromium fonts-noto-cjk # for those of the admin page
    # For those of the metrics and the alert rules. Only there: Debian's package brings a server that it starts.
    ! in_ci || need promtool prometheus
    install_missing || skip 'some tests' 'ip, Chromium or promtool is missing'
    step "native core ($cxx)" build_core
    step 'programs' build_programs
    step 'go vet' go vet ./...
    step 'go vet: the peers of the benchmarks' go -C bench/peers vet ./...
    step 'Go tests, race detector, native core' go test "${go_test_flags[@]}" -race -timeout 10m ./...
    step 'Go tests of the installed chatserver' installed_go_tests
    step 'Go tests without cgo, pure-Go core' env CGO_ENABLED=0 \
        go test "${go_test_flags[@]}" -timeout 10m ./...
}

# The sanitizers of GCC 12 cannot map their shadow memory where the kernel spreads programs over more than 28 bits of
# address: such programs die at once, at random. They then run, the ones that CMake starts too, without that spreading.
choose_aslr() {
    local bits=0
    no_aslr=()
    [[ ! -r /proc/sys/vm/mmap_rnd_bits ]] || bits=$(</proc/sys/vm/mmap_rnd_bits)
    if ((bits > 28)); then
        if setarch "$(uname -m)" -R true 2>/dev/null; then
            no_aslr=(setarch "$(uname -m)" -R)
        else
            say "sanitizers may fail at random: vm.mmap_rnd_bits is $bits and setarch -R is not allowed here"
        fi
    fi
}

native_tests() {
    local preset=$1
    shift
    cmake_preset "$preset" "$@"
    (cd native && "${no_aslr[@]}" ctest --preset "$preset" --no-tests=error)
}

# The newest Clang from 16 up that is here, as the number behind its name; nothing if there is none.
find_clang() {
    local version
    for version in 16 17 18 19 20 21 22; do
        if has "clang++-$version"; then
            echo "-$version"
            return
        fi
    done
    if (($(major clang++) >= 16)); then
        echo ''
        return
    fi
    return 1
}

test_native() {
    local gcc_flags=() suffix
    need /usr/src/googletest/CMakeLists.txt googletest
    install_missing || fail 'cannot build the C++ tests without GoogleTest'
    if [[ $release_preset == gcc ]]; then
        gcc_flags=("-DCMAKE_C_COMPILER=$cc" "-DCMAKE_CXX_COMPILER=$cxx")
    else
        need g++ g++
        install_missing || fail 'the sanitizer builds use GCC'
    fi
    choose_aslr
    step 'C++ tests: AddressSanitizer and UndefinedBehaviorSanitizer' native_tests gcc-asan "${gcc_flags[@]}"
    step 'C++ tests: ThreadSanitizer' native_tests gcc-tsan "${gcc_flags[@]}"
    no_aslr=()
    if in_ci && ! find_clang >/dev/null; then
        need clang++-16 clang-16 libc++-16-dev libc++abi-16-dev
    elif suffix=$(find_clang); then
        need_libcxx "clang++$suffix"
    fi
    if install_missing && suffix=$(find_clang); then
        step "C++ tests: Clang (clang++$suffix), optimised" native_tests clang-test \
            "-DCMAKE_C_COMPILER=clang$suffix" "-DCMAKE_CXX_COMPILER=clang++$suffix"
    else
        skip 'the build with Clang' 'Clang 16 or newer, or its libc++, is missing'
    fi
}

# How many inputs a fuzzer gets as part of test: about 5 seconds each.
declare -A test_runs=([ConfigFuzz]=500000 [PacketFramingFuzz]=180000 [ProxyHeaderFuzz]=200000 [SendRingBufferFuzz]=300000
    [SubmitFuzz]=250000)

# What the fuzzers did: lines of "target inputs milliseconds".
fuzz_table=build/fuzz/table.txt

build_fuzzers() {
    local suffix=$1
    cmake_preset clang-fuzz "-DCMAKE_C_COMPILER=clang$suffix" "-DCMAKE_CXX_COMPILER=clang++$suffix"
}

# fuzz_native TARGET RUNS: ends with an error, and keeps the input in build/fuzz, at the first one that fails. What it
# finds goes into a folder of its own: the repository's inputs are read, and never written.
fuzz_native() {
    local target=$1 runs=$2 found=build/fuzz/$1 log=build/fuzz/$1.log inputs begin end
    rm -rf "$found"
    mkdir -p "$found"
    begin=$(date +%s%N)
    if ! "${no_aslr[@]}" "$(find_built build/native/clang-fuzz "$target")" "-runs=$runs" -seed=1 -max_len=256 \
        -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 "-artifact_prefix=build/fuzz/$target-" \
        "$found" "native/fuzz/corpus/$target" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        fail "$target failed: see $log, which names the input that shows it (Test unit written to ...)"
    fi
    end=$(date +%s%N)
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$target $inputs $(((end - begin) / 1000000))" >>"$fuzz_table"
    echo "$inputs inputs"
}

# Clang with libFuzzer, its sanitizers and the C++ library of the core; false if they cannot be had.
install_fuzz_tools() {
    local suffix version
    find_clang >/dev/null || need clang++-16 clang-16
    install_missing || return 1
    suffix=$(find_clang) || return 1
    version=$(major "clang++$suffix")
    need_libcxx "clang++$suffix"
    need "/usr/lib/llvm-$version/lib/clang/$version/lib/linux/libclang_rt.fuzzer-x86_64.a" "libclang-rt-$version-dev"
    need g++ g++ # libFuzzer uses its library
    install_missing
}

# native_fuzz [RUNS]: builds the C++ fuzzers and gives each RUNS inputs; without RUNS, as many as test_runs says.
native_fuzz() {
    local suffix target
    suffix=$(find_clang)
    choose_aslr
    step "C++ fuzzers: build (clang++$suffix)" build_fuzzers "$suffix"
    for target in native/fuzz/corpus/*/; do
        target=$(basename "$target")
        step "C++ fuzzer: $target" fuzz_native "$target" "${1:-${test_runs[$target]}}"
    done
    no_aslr=()
}

# run_native_fuzzers [RUNS], run_go_fuzzers [RUNS]: each fuzzer of one language; without RUNS briefly, as part of test.
run_native_fuzzers() {
    if install_fuzz_tools; then
        native_fuzz "$@"
    else
        skip 'the C++ fuzzers' 'Clang 16 or newer, its libFuzzer, or its libc++, is missing'
    fi
}

run_go_fuzzers() {
    step 'Go fuzzers' scripts/go-fuzz.sh "${1:-10000}"
}

run_fuzzers() {
    mkdir -p build/fuzz
    : >"$fuzz_table"
    run_native_fuzzers "$@"
    run_go_fuzzers "$@"
}

test_fuzz() {
    run_fuzzers
}

verb_fuzz() {
    local runs=${1:-10000000}
    if (($# > 1)) || ! [[ $runs =~ ^[1-9][0-9]*$ ]]; then
        echo "build.sh: fuzz takes one number of inputs, and got: $*" >&2
        exit 2
    fi
    need_native_tools
    run_fuzzers "$runs"
    printf '\n%-24s %12s %10s %10s\n' 'C++ target' inputs seconds inputs/s
    awk '{ printf "%-24s %12d %10.1f %10d\n", $1, $2, $3 / 1000, $2 * 1000 / ($3 > 0 ? $3 : 1) }' "$fuzz_table"
}

mingw=x86_64-w64-mingw32

# go_for_windows ARGS...: go, building for Windows with MinGW-w64's C compiler.
go_for_windows() {
    env GOOS=windows GOARCH=amd64 CGO_ENABLED=1 "CC=$mingw-gcc-posix" go "$@"
}

windows_programs() {
    go_for_windows build -o build/windows/bin/ ./cmd/...
    ls build/windows/bin
}

# windows_path PATH: how a program under Wine names a file of this repository.
windows_path() {
    local path=$root/$1
    echo "Z:${path//\//\\}"
}

start_wine() {
    wine_started=true
    scripts/wine-exec.sh --start
}

windows_native_tests() {
    # WINEPATH is a PATH for the programs inside: where the tests' executable finds the DLL.
    local program
    for program in IocpNetLibTests IocpNetLibMemoryTests; do
        WINEPATH=$(windows_path build/windows/bin) timeout 600 \
            scripts/wine-exec.sh "$(find_built build/native/mingw "$program.exe")" --gtest_brief=1
    done
}

windows_go_tests() {
    IOCPNETLIB_CORE=$(windows_path build/windows/bin/IocpNetLib.dll) \
        go_for_windows test "${go_test_flags[@]}" -timeout 10m -exec "'$root/scripts/wine-exec.sh'" ./...
}

windows_installed_go_tests() {
    IOCPNETLIB_CORE='' IOCPNETLIB_CHATSERVER=$(windows_path build/windows/bin/chatserver.exe) \
        go_for_windows test "${go_test_flags[@]}" -timeout 5m -exec "'$root/scripts/wine-exec.sh'" \
        ./cmd/chatserver -run "$installed_tests"
}

# need_windows_tools WHAT: installs MinGW-w64 and Wine; without them WHAT is skipped, and it returns 1.
need_windows_tools() {
    need "$mingw-g++-posix" g++-mingw-w64-x86-64-posix
    need /usr/src/googletest/CMakeLists.txt googletest
    has /usr/lib/wine/wine64 || need wine64 wine64
    has /usr/lib/wine/wineserver64 || need wineserver wine
    if ! install_missing; then
        skip "$1" 'MinGW-w64 or Wine cannot be installed'
        return 1
    fi
    if (($(major "$mingw-g++-posix") < 12)); then
        skip "$1" "MinGW-w64 here is GCC $(major "$mingw-g++-posix"), and GCC 12 at least is needed"
        return 1
    fi
    mkdir -p build/windows/bin
}

test_windows() {
    need_windows_tools 'the Windows tests' || return 0
    step 'Windows: IocpNetLib.dll and its tests (MinGW-w64)' cmake_preset mingw
    step 'Windows: programs' windows_programs
    step 'Windows: go vet' go_for_windows vet ./...
    step 'Windows: Wine' start_wine
    step 'Windows: C++ tests under Wine' windows_native_tests
    step 'Windows: Go tests on the live IocpNetLib.dll under Wine' windows_go_tests
    step 'Windows: Go tests of the installed chatserver under Wine' windows_installed_go_tests
    scripts/wine-exec.sh --stop
    wine_started=false
}

# The newest driver of browsers needs Node.js 20; for the module alone 18 would do.
has_node() { has node && (($(node --print 'process.versions.node.split(".")[0]') >= 20)); }

# web_client SCRIPT...: scripts of webclient/package.json.
web_client() {
    local script
    (
        cd webclient || exit
        # npm may name its own settings' warnings on stderr: they matter only if it fails.
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
        for script; do
            npm run --silent "$script"
        done
    )
}

test_web() {
    has_node || need node nodejs
    need npm npm
    has google-chrome || need chromium chromium fonts-noto-cjk
    if ! install_missing || ! has_node; then
        skip "the tests of the browser's client" 'Node.js 20, npm or Chromium is missing'
        return
    fi
    step 'native core' build_core
    step 'programs' build_programs
    step "the browser's client: packets, client, page" web_client test
    step "the browser's client with the server: three people behind three doors" web_client test:server
}

verb_test() {
    local part parts=("$@")
    if ((${#parts[@]} == 0)); then
        parts=(lint native fuzz go web windows)
    fi
    for part in "${parts[@]}"; do
        case $part in
        lint | go | native | fuzz | web | windows) ;;
        *)
            echo "build.sh: test has no part $part; its parts are lint, native, fuzz, go, web and windows" >&2
            exit 2
            ;;
        esac
    done
    need_native_tools
    mkdir -p build/bin
    for part in "${parts[@]}"; do
        "test_$part"
    done
    printf '\n==== %d steps ok in %s' "$steps_done" "$(duration $SECONDS)"
    if ((${#skipped[@]})); then
        printf '; skipped:'
        printf ' %s;' "${skipped[@]}"
    fi
    printf '\n'
}
