#!/usr/bin/env bash
# Makes a virtual environment that holds exactly requirements-dev.txt and this project. Usage: ./setup.sh FOLDER
# `make` calls it, and only when something changed. It asks nothing of the machine but Python 3.11, a C compiler and
# package registries; what pillow-simd's build misses it installs itself where it may (root on Debian or Ubuntu).
set -euo pipefail
cd "$(dirname "$0")"
venv=${1:?"say which folder: ./setup.sh .venv"}
lock=requirements-dev.txt

stop() {
    printf '\nset-up stopped: %s\n' "$*" >&2
    exit 1
}

say() { printf 'set-up: %s\n' "$*"; }

find_python() {
    local name
    for name in python3.11 python3 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    stop "Brightroom needs Python 3.11 and none is on the PATH. Install it (Debian 12: apt-get install python3.11) and run make again."
}

has_header() { # compiler flags, header
    printf '#include <stdio.h>\n#include <%s>\n' "$2" | gcc $1 -E -x c - >/dev/null 2>&1
}

missing_system_packages() {
    local include
    include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    command -v gcc >/dev/null || echo build-essential
    has_header "" jpeglib.h || echo libjpeg-dev
    has_header "" zlib.h || echo zlib1g-dev
    has_header "-I$include" Python.h || echo python3.11-dev
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3.11-venv
}

install_system_packages() {
    local missing command
    missing=$(missing_system_packages | xargs)
    [ -n "$missing" ] || return 0
    command="apt-get update && apt-get install -y --no-install-recommends $missing"
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        stop "pillow-simd is compiled here and needs: $missing. On Debian or Ubuntu run
    sudo sh -c '$command'
(elsewhere: the same libraries' development files) and then make again."
    fi
    say "installing $missing"
    DEBIAN_FRONTEND=noninteractive sh -c "$command" >"$log" 2>&1 ||
        { tail -n 15 "$log" >&2; stop "apt-get could not install $missing. Run it by hand to see why: $command"; }
}

make_venv() { # none is there, or one whose making was interrupted: python without pip
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
    say "creating $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" || stop "python could not create $venv. Is the disk full, or the folder not yours?"
}

locked() { # the lines of the lock that pin one package, with its hashes
    awk -v name="$1==" 'index($0, name) == 1 { on = 1 } on { print } on && !/\\$/ { exit }' "$lock"
}

find_uv() {
    if command -v uv; then return; fi
    if [ ! -x "$venv/bin/uv" ]; then
        [ -n "$(locked uv)" ] || stop "$lock does not pin uv. Put uv among the dev packages of pyproject.toml and run make lock."
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r <(locked uv) >&2 ||
            stop "pip could not install uv. Look whether this machine reaches its package registry: $venv/bin/pip download uv"
    fi
    echo "$venv/bin/uv"
}

follow_pip_registry() { # uv does not read pip's configuration: a registry named there counts for both
    local index
    index=${PIP_INDEX_URL:-$("$venv/bin/pip" config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ]; then export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}; fi
}

install_packages() {
    # The sdists among them (pillow-simd, pyvips, ...) are built with what the same lock pins.
    # uv compiles bytecode in parallel and passes over the file of torch that is a template, not Python.
    "$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes --build-constraints "$lock" \
        --compile-bytecode "$lock" ||
        stop "some packages were not installed; the lines above say which. Usually the network: run make again, what is there is kept."
}

install_project() {
    "$uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --editable . ||
        stop "the project itself was not installed. pyproject.toml is the place to look ([project], [tool.setuptools])."
}

export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180} UV_HTTP_RETRIES=${UV_HTTP_RETRIES:-5} UV_LINK_MODE=${UV_LINK_MODE:-hardlink}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
python=$(find_python)
install_system_packages
make_venv
uv=$(find_uv)
follow_pip_registry
say "installing $(grep -c '==' "$lock") packages into $venv (some minutes and about 8 GB the first time)"
install_packages
install_project
"$venv/bin/brightroom" --help >/dev/null || stop "the command brightroom does not start; the lines above say why."
say "ready"
