#!/bin/bash
# Makes .venv: exactly the packages of requirements.lock (each one checked by its hash), and this tree itself.
# Run by make when the lock or pyproject.toml is newer than .venv. What the machine lacks is named with its remedy.
#
#   PYTHON=python3.12 make setup    another interpreter than python3
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SAYS=setup
# shellcheck source=tests/peers/private_apt.sh
. tests/peers/private_apt.sh

STAMP=.venv/.set-up

fail() { say "$*"; exit 1; }

fitting() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if fitting "$candidate"; then python=$candidate; return; fi
    done
    fail "Python 3.11 or later is needed; on Debian 12, Ubuntu 24.04 and later: apt-get install python3"
}

# Debian's python3 comes without what puts pip into a venv, that is python3-venv.
make_venv() {
    if fitting .venv/bin/python && .venv/bin/python -m pip --version > /dev/null 2>&1; then return; fi
    rm -rf .venv
    can_make_venv || unpack_pip || install_venv ||
        fail "this python3 cannot make a venv with pip in it; on Debian and Ubuntu: apt-get install python3-venv"
    say "making .venv with $("$python" --version)"
    if can_make_venv; then
        "$python" -m venv .venv
    else
        "$python" -m venv --without-pip .venv
        .venv/bin/python "$pip_wheel/pip" install -q --no-index --disable-pip-version-check "$pip_wheel"
    fi
}

can_make_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

# pip is one file, and need not be installed to be used; Debian's takes the certificates from the system.
unpack_pip() {
    [ -r /etc/ssl/certs/ca-certificates.crt ] || return 1
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    private_apt_begin "$scratch" && private_apt_find python3-pip-whl && private_apt_fetch python3-pip-whl || return 1
    pip_wheel=$(find "$ROOT" -name 'pip-*.whl' -print -quit)
}

# A bare container, without so much as certificates: nothing but its own packages helps there.
install_venv() {
    [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || return 1
    export DEBIAN_FRONTEND=noninteractive
    step "apt-get update, to install python3-venv" apt-get -qq update &&
        step "apt-get install python3-venv" apt-get -qq install -y --no-install-recommends python3-venv > /dev/null
}

pip_install() { .venv/bin/python -m pip install -q --disable-pip-version-check "$@" > .venv/setup.log 2>&1; }

find_python
make_venv
step "installing the $(grep -c '==' requirements.lock) packages of requirements.lock (about a minute the first time)" \
    pip_install --require-hashes -r requirements.lock ||
    { cat .venv/setup.log >&2; fail "pip could not install them (above); is a package registry within reach?"; }
step "installing zvonar itself, from this folder" pip_install --no-deps --no-build-isolation -e . ||
    { cat .venv/setup.log >&2; fail "pip could not install this folder (above)"; }
touch "$STAMP"
say "done: .venv/bin/zvonar --help"
