#!/bin/bash
# Gets a private SIPp into a folder, unless there is one on PATH; touches nothing of the host and needs no root.
#
#   get_sipp.sh [DEST]    DEST defaults to $ZVONAR_SIPP, else ~/.cache/zvonar-sipp; the program is DEST/bin/sipp
set -euo pipefail
SAYS="sipp"
# shellcheck source=tests/peers/private_apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/private_apt.sh"

DEST=${1:-${ZVONAR_SIPP:-$HOME/.cache/zvonar-sipp}}

main() {
    if [ "${REUSE_PATH:-1}" = 1 ] && command -v sipp > /dev/null; then
        say "using $(command -v sipp)"
        return
    fi
    mkdir -p "$DEST"
    DEST=$(cd "$DEST" && pwd)
    exec 9> "$DEST/.lock"
    flock 9
    if [ -x "$DEST/bin/sipp" ]; then
        say "already there: $DEST"
        return
    fi
    scratch=$(mktemp -d "$DEST/.tmp.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    private_apt_begin "$scratch"
    private_apt_find sip-tester forky sid testing
    private_apt_unpack sip-tester
    private_apt_loader
    rm -rf "$DEST/lib"
    mkdir -p "$DEST/lib" "$DEST/bin"
    step "gathering its libraries" private_apt_libraries "$DEST/lib" "$ROOT"/usr/bin/sipp "$LIBS"/libnss_*.so.2
    cp "$ROOT"/usr/bin/sipp "$DEST/lib/sipp"
    cat > "$DEST/bin/sipp" <<'END'
#!/bin/sh
home=$(cd "$(dirname "$0")/.." && pwd)
exec "$home/lib/ld.so" --library-path "$home/lib" "$home/lib/sipp" "$@"
END
    chmod +x "$DEST/bin/sipp"
    "$DEST/bin/sipp" -v > "$scratch/version" 2>&1 || true # SIPp ends with 99 after its version
    say "$(grep -o 'SIPp v[0-9.]*' "$scratch/version" | head -1) in $DEST ($(du -sm --exclude='.tmp*' "$DEST" | cut -f1) MB)"
}

main
