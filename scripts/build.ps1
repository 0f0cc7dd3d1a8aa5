# Builds, runs, tests and measures IocpNetLib-Go on Windows. `scripts\build.ps1 help` explains; build.sh is its twin on
# Linux. For Windows PowerShell 5.1 and PowerShell 7. If the system refuses to run scripts:
#   powershell -ExecutionPolicy Bypass -File scripts\build.ps1 run
# There is no param block: everything after the verb belongs to the verb, options such as --port 12000 too.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$Root = Split-Path -Parent $PSScriptRoot
$BinFolder = Join-Path $Root 'build\bin'
$Library = Join-Path $BinFolder 'IocpNetLib.dll'

# What Find-Tools finds.
$script:CMake = ''
$script:CTest = ''
$script:Go = ''

function Show-Usage {
    Write-Host 'usage: scripts\build.ps1 VERB'
    Write-Host ''
    Write-Host '  build           the native core (Visual Studio 2022) and the programs, into build\bin'
    Write-Host '  run [OPTIONS]   build, then start chatserver on port 11021; OPTIONS go to chatserver,'
    Write-Host '                  e.g. --port 12000 --core go'
    Write-Host '  test            the C++ tests, go vet and the Go tests on the live IocpNetLib.dll'
    Write-Host '  soak [ARGS]     build, then put chatserver under load with chatsoak ARGS; without any, for an hour, with'
    Write-Host '                  the picture docs\soak.svg at the end. "soak help" lists its scenarios'
    Write-Host '  fuzz [INPUTS]   every Go fuzzer with INPUTS inputs each (default: 10000000, which takes hours), then'
    Write-Host '                  a table; those of the C++ core need Clang''s libFuzzer: build.sh fuzz, on Linux'
    Write-Host '  bench           the micro-benchmarks of the C++ core and of the Go packages'
    Write-Host '  help            this text'
    Write-Host ''
    Write-Host 'It needs Visual Studio 2022 with C++, CMake, Go 1.26 or newer and a 64-bit MinGW-w64 gcc for cgo, and'
    Write-Host 'names the winget command for whatever is missing. It installs nothing by itself.'
    Write-Host 'The C++ tests also need GoogleTest, the C++ benchmarks Google Benchmark, from vcpkg:'
    Write-Host '  vcpkg install gtest:x64-windows-static-md benchmark:x64-windows-static-md'
    Write-Host 'vcpkg is found through VCPKG_ROOT or VCPKG_INSTALLATION_ROOT. With CI=true a missing GoogleTest is an'
    Write-Host 'error.'
}

# Runs a program; if it ends with another exit code than 0, that ends the script.
function Invoke-Program {
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) {
        throw ('{0} ended with exit code {1}' -f (Split-Path -Leaf $Program), $LASTEXITCODE)
    }
}

# Runs one step under a heading, and says how long it took.
function Invoke-Step {
    param([string]$Title, [scriptblock]$Body)
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    Write-Host ''
    Write-Host "==== $Title"
    try {
        & $Body
    } catch {
        throw ('FAILED: {0}: {1}' -f $Title, $_.Exception.Message)
    }
    Write-Host ('---- {0}: ok, {1:n0} s' -f $Title, $watch.Elapsed.TotalSeconds)
}

# The full path of a program on the PATH, or else of the first candidate that exists; empty if there is none.
function Find-Program {
    param([string]$Name, [string[]]$Candidates)
    $command = Get-Command -Name $Name -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($null -ne $command) {
        return $command.Path
    }
    foreach ($candidate in $Candidates) {
        if (Test-Path -LiteralPath $candidate -PathType Leaf) {
            return $candidate
        }
    }
    return ''
}

# The folder of a Visual Studio 2022 (or its Build Tools) with the C++ compiler for x64; empty if there is none.
function Find-VisualStudio {
    $vswhere = Join-Path ${env:ProgramFiles(x86)} 'Microsoft Visual Studio\Installer\vswhere.exe'
    if (-not (Test-Path -LiteralPath $vswhere -PathType Leaf)) {
        return ''
    }
    $arguments = @('-latest', '-products', '*', '-version', '[17.0,18.0)',
        '-requires', 'Microsoft.VisualStudio.Component.VC.Tools.x86.x64', '-property', 'installationPath')
    $found = @(& $vswhere @arguments)
    if ($found.Count -eq 0) {
        return ''
    }
    return $found[0]
}

# True if this gcc makes 64-bit Windows programs: a 32-bit or Cygwin one does not serve cgo here.
function Test-Gcc {
    param([string]$Path)
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) {
        return $false
    }
    $machine = @(& $Path '-dumpmachine')
    return ($LASTEXITCODE -eq 0) -and ($machine.Count -gt 0) -and ($machine[0] -match '^x86_64.*mingw')
}

# The folder of a MinGW-w64 gcc: on the PATH, or where its usual packages put it; empty if there is none.
function Find-GccFolder {
    $candidates = @()
    $onPath = @(Get-Command -Name 'gcc.exe' -CommandType Application -All -ErrorAction SilentlyContinue)
    foreach ($command in $onPath) {
        $candidates += $command.Path
    }
    $candidates += @('C:\msys64\ucrt64\bin\gcc.exe', 'C:\msys64\mingw64\bin\gcc.exe', 'C:\mingw64\bin\gcc.exe',
        'C:\ProgramData\mingw64\mingw64\bin\gcc.exe')
    # winget unpacks WinLibs here; a shell that was open before does not have it on its PATH yet.
    if (-not [string]::IsNullOrEmpty($env:LOCALAPPDATA)) {
        $packages = Join-Path $env:LOCALAPPDATA 'Microsoft\WinGet\Packages'
        if (Test-Path -LiteralPath $packages -PathType Container) {
            $folders = @(Get-ChildItem -LiteralPath $packages -Directory -Filter 'BrechtSanders.WinLibs.*')
            foreach ($folder in $folders) {
                $candidates += (Join-Path $folder.FullName 'mingw64\bin\gcc.exe')
            }
        }
    }
    foreach ($candidate in $candidates) {
        if (Test-Gcc $candidate) {
            return (Split-Path -Parent $candidate)
        }
    }
    return ''
}

# Finds everything that a build needs, or says how to install what is missing, all of it at once.
function Find-Tools {
    $missing = @()
    $visualStudio = Find-VisualStudio
    if ($visualStudio -eq '') {
        $missing += 'Visual Studio 2022 with "Desktop development with C++"; its free build tools are enough:'
        $missing += '    winget install --id Microsoft.VisualStudio.2022.BuildTools -e --override ' +
            '"--wait --passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
    }
    $cmakeCandidates = @((Join-Path $env:ProgramFiles 'CMake\bin\cmake.exe'))
    if ($visualStudio -ne '') {
        $cmakeCandidates += (Join-Path $visualStudio 'Common7\IDE\CommonExtensions\Microsoft\CMake\CMake\bin\cmake.exe')
    }
    $script:CMake = Find-Program 'cmake.exe' $cmakeCandidates
    if ($script:CMake -eq '') {
        $missing += 'CMake 3.22 or newer:'
        $missing += '    winget install --id Kitware.CMake -e'
    } else {
        $script:CTest = Join-Path (Split-Path -Parent $script:CMake) 'ctest.exe'
    }
    $script:Go = Find-Program 'go.exe' @((Join-Path $env:ProgramFiles 'Go\bin\go.exe'), 'C:\Go\bin\go.exe')
    if ($script:Go -eq '') {
        $missing += 'Go 1.26 or newer:'
        $missing += '    winget install --id GoLang.Go -e'
    }
    $gccFolder = Find-GccFolder
    if ($gccFolder -eq '') {
        $missing += 'A 64-bit MinGW-w64 gcc, with which cgo compiles:'
        $missing += '    winget install --id BrechtSanders.WinLibs.POSIX.UCRT -e'
    }
    if ($missing.Count -gt 0) {
        Write-Host 'build.ps1: missing on this machine:'
        foreach ($line in $missing) {
            Write-Host "  $line"
        }
        throw 'install what is missing, open a new terminal, and try again'
    }
    # gcc needs the DLLs beside it; a CC that names it without a folder works with spaces in the path too.
    $env:Path = $gccFolder + ';' + $env:Path
    $env:CC = 'gcc'
    $env:CGO_ENABLED = '1'
}

# The folder of vcpkg's libraries, for CMake's find_package; empty if the package is not there.
function Find-VcpkgPackage {
    param([string]$Package)
    foreach ($vcpkg in @($env:VCPKG_ROOT, $env:VCPKG_INSTALLATION_ROOT)) {
        if ([string]::IsNullOrEmpty($vcpkg)) {
            continue
        }
        $prefix = Join-Path $vcpkg 'installed\x64-windows-static-md'
        if (Test-Path -LiteralPath (Join-Path $prefix "share\$Package") -PathType Container) {
            return $prefix.Replace('\', '/')
        }
    }
    return ''
}

# Configures and builds the native core. Further arguments go to CMake's configuration.
function Build-Core {
    param([string[]]$Arguments)
    $native = Join-Path $Root 'native'
    $configure = @('-S', $native, '--preset', 'msvc', '--no-warn-unused-cli', '--log-level=WARNING') + $Arguments
    Invoke-Program $script:CMake $configure
    $build = @('--build', (Join-Path $Root 'build\native\msvc'), '--config', 'Release', '--parallel',
        '--', '-nologo', '-verbosity:minimal')
    Invoke-Program $script:CMake $build
    if (-not (Test-Path -LiteralPath $Library -PathType Leaf)) {
        throw "$Library was not built"
    }
}

function Build-Programs {
    # Relative, with slashes: Windows PowerShell would spoil a quoted argument that ends with a backslash.
    Invoke-Program $script:Go @('build', '-o', 'build/bin/', './cmd/...')
    foreach ($file in @(Get-ChildItem -LiteralPath $BinFolder -File)) {
        Write-Host $file.Name
    }
}

function Invoke-Build {
    Find-Tools
    Invoke-Step 'native core (Visual Studio 2022)' { Build-Core @() }
    Invoke-Step 'programs' { Build-Programs }
}

function Invoke-Run {
    param([string[]]$Arguments)
    Invoke-Build
    Write-Host ''
    Write-Host ('==== chatserver {0}' -f ($Arguments -join ' '))
    & (Join-Path $BinFolder 'chatserver.exe') @Arguments
    $script:ExitCode = $LASTEXITCODE
}

function Invoke-Soak {
    param([string[]]$Arguments)
    if ($Arguments.Count -eq 0) {
        $Arguments = @('soak', '--duration', '1h', '--svg', 'docs/soak.svg', '--csv', 'build/soak.csv')
    }
    Invoke-Build
    Write-Host ''
    Write-Host ('==== chatsoak {0}' -f ($Arguments -join ' '))
    & (Join-Path $BinFolder 'chatsoak.exe') @Arguments
    $script:ExitCode = $LASTEXITCODE
}

function Invoke-Test {
    Find-Tools
    $googleTest = Find-VcpkgPackage 'gtest'
    if ($googleTest -ne '') {
        Invoke-Step 'native core and its tests (Visual Studio 2022)' {
            Build-Core @('-DBUILD_TESTING=ON', "-DCMAKE_PREFIX_PATH=$googleTest")
        }
        Invoke-Step 'C++ tests' {
            # The tests' executable finds the DLL, if it needs it, through the PATH.
            $env:Path = $BinFolder + ';' + $env:Path
            Invoke-Program $script:CTest @('--test-dir', (Join-Path $Root 'build\native\msvc'), '-C', 'Release',
                '--output-on-failure', '--no-tests=error')
        }
    } elseif ($env:CI -eq 'true') {
        throw 'GoogleTest is missing; CI never skips the C++ tests'
    } else {
        Write-Host 'build.ps1: skipping the C++ tests: no GoogleTest. vcpkg install gtest:x64-windows-static-md'
        Invoke-Step 'native core (Visual Studio 2022)' { Build-Core @() }
    }
    Invoke-Step 'programs' { Build-Programs }
    Invoke-Step 'go vet' { Invoke-Program $script:Go @('vet', './...') }
    $env:IOCPNETLIB_CORE = $Library
    Invoke-Step 'Go tests on the live IocpNetLib.dll' {
        Invoke-Program $script:Go @('test', '-count=1', '-timeout', '10m', './...')
    }
    # The installed program has to find the DLL beside it by itself.
    $env:IOCPNETLIB_CORE = ''
    $env:IOCPNETLIB_CHATSERVER = Join-Path $BinFolder 'chatserver.exe'
    Invoke-Step 'Go tests of the installed chatserver' {
        Invoke-Program $script:Go @('test', '-count=1', '-timeout', '5m', './cmd/chatserver/', '-run',
            '^(TestAliceAndBob|TestTheBehaviourTable|TestEveryWayToStop)$')
    }
    $env:IOCPNETLIB_CHATSERVER = ''
    $env:CGO_ENABLED = '0'
    Invoke-Step 'Go tests without cgo, pure-Go core' {
        Invoke-Program $script:Go @('test', '-count=1', '-timeout', '10m', './...')
    }
    Write-Host ''
    Write-Host '==== all steps ok'
}

# Every Go fuzzer, found in the tests themselves. The number of inputs bounds each, and not a time: at the end of a time
# go test may report its own deadline as a failure.
function Invoke-Fuzz {
    param([string]$Inputs)
    Find-Tools
    Invoke-Step 'native core (Visual Studio 2022)' { Build-Core @() }
    $env:IOCPNETLIB_CORE = $Library
    $table = @()
    $folders = @('bridge', 'chat', 'cmd')
    $tests = @(Get-ChildItem -Path $folders -Recurse -File -Filter '*_test.go')
    foreach ($found in @(Select-String -LiteralPath $tests.FullName -Pattern '^func (Fuzz[A-Za-z0-9_]+)')) {
        $fuzzer = $found.Matches[0].Groups[1].Value
        $package = './' + (Split-Path -Parent $found.Path).Substring($Root.Length + 1).Replace('\', '/') + '/'
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        Invoke-Step "fuzzer: $fuzzer, $package" {
            Invoke-Program $script:Go @('test', '-run', '^$', '-fuzz', ('^{0}$' -f $fuzzer), '-fuzztime',
                ('{0}x' -f $Inputs), '-fuzzminimizetime', '100x', $package)
        }
        $table += '{0,-22} {1,12} {2,8:n0}' -f $fuzzer, $Inputs, $watch.Elapsed.TotalSeconds
    }
    Write-Host ''
    Write-Host ('{0,-22} {1,12} {2,8}' -f 'fuzzer', 'inputs', 'seconds')
    foreach ($line in $table) {
        Write-Host $line
    }
}

function Invoke-Bench {
    Find-Tools
    $benchmark = Find-VcpkgPackage 'benchmark'
    if ($benchmark -ne '') {
        Invoke-Step 'native core and its benchmarks (Visual Studio 2022)' {
            Build-Core @('-DIOCPNETLIB_BENCH=ON', "-DCMAKE_PREFIX_PATH=$benchmark")
        }
        Invoke-Step 'benchmarks: C++' {
            $folder = Join-Path $Root 'build\native\msvc'
            $program = Get-ChildItem -LiteralPath $folder -Recurse -File -Filter 'IocpNetLibBench.exe' |
                Select-Object -First 1
            if ($null -eq $program) {
                throw "IocpNetLibBench.exe was not built in $folder"
            }
            $env:Path = $BinFolder + ';' + $env:Path
            Invoke-Program $program.FullName @()
        }
    } else {
        Write-Host 'build.ps1: skipping the C++ benchmarks: vcpkg install benchmark:x64-windows-static-md'
        Invoke-Step 'native core (Visual Studio 2022)' { Build-Core @() }
    }
    $env:IOCPNETLIB_CORE = $Library
    Invoke-Step 'benchmarks: Go' {
        Invoke-Program $script:Go @('test', '-run', '^$', '-bench', '.', '-benchmem', './bridge/', './chat/',
            './cmd/echoserver/')
    }
}

$script:ExitCode = 0
$verb = 'help'
$rest = @()
if ($args.Count -gt 0) {
    $verb = [string]$args[0]
}
if ($args.Count -gt 1) {
    $rest = @($args[1..($args.Count - 1)])
}

if (($verb -eq 'fuzz') -and ($rest.Count -gt 0) -and (($rest -join ' ') -notmatch '^[1-9][0-9]{0,11}$')) {
    Write-Host ('build.ps1: fuzz takes the number of inputs for each fuzzer, and got: {0}' -f ($rest -join ' '))
    exit 2
}
if (($rest.Count -gt 0) -and ($verb -in @('build', 'test', 'bench'))) {
    Write-Host ('build.ps1: {0} takes no arguments, and got: {1}' -f $verb, ($rest -join ' '))
    exit 2
}

Push-Location -LiteralPath $Root
try {
    switch ($verb) {
        'build' { Invoke-Build }
        'run' { Invoke-Run $rest }
        'test' { Invoke-Test }
        'fuzz' {
            $inputs = '10000000'
            if ($rest.Count -gt 0) {
                $inputs = [string]$rest[0]
            }
            Invoke-Fuzz $inputs
        }
        'bench' { Invoke-Bench }
        'soak' { Invoke-Soak $rest }
        { $_ -in @('help', '-h', '--help') } { Show-Usage }
        default {
            Write-Host "build.ps1: there is no verb $verb"
            Show-Usage
            $script:ExitCode = 2
        }
    }
} catch {
    Write-Host ''
    Write-Host ('build.ps1: {0}' -f $_.Exception.Message)
    $script:ExitCode = 1
} finally {
    Pop-Location
}
exit $script:ExitCode
