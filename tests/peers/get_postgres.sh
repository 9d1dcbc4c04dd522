#!/bin/bash
# Gets a private PostgreSQL server into a folder, unless the machine has one; touches nothing of the host and needs no
# root.
#
#   get_postgres.sh [DEST]    DEST defaults to $ZVONAR_POSTGRES, else ~/.cache/zvonar-postgres
#
# Says on stdout in which folder `initdb` and `postgres` are; that is all stdout gets. DEST may be moved and copied.
set -euo pipefail
SAYS="postgres"
# shellcheck source=tests/peers/private_apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/private_apt.sh"

DEST=${1:-${ZVONAR_POSTGRES:-$HOME/.cache/zvonar-postgres}}

main() {
    local bin major
    if [ "${REUSE_PATH:-1}" = 1 ] && bin=$(installed); then
        say "using $bin"
        echo "$bin"
        return
    fi
    mkdir -p "$DEST"
    DEST=$(cd "$DEST" && pwd)
    exec 9> "$DEST/.lock"
    flock 9 # two test runs at once: the second one finds it installed
    if [ -x "$DEST/bin/initdb" ]; then
        say "already there: $DEST"
        echo "$DEST/bin"
        return
    fi
    scratch=$(mktemp -d "$DEST/.tmp.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    private_apt_begin "$scratch"
    private_apt_find postgresql forky sid testing
    major=$(apt-cache "${APT[@]}" "${SOURCES[@]}" depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
    private_apt_unpack "postgresql-$major"
    private_apt_loader
    gather "$major"
    say "$("$DEST/bin/postgres" --version) in $DEST ($(du -sm --exclude='.tmp*' "$DEST" | cut -f1) MB)"
    echo "$DEST/bin"
}

# The folder of the server on PATH, else of the newest one where Debian puts them.
installed() {
    local program
    for program in "$(command -v postgres || true)" $(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -rV); do
        [ -x "$program" ] || continue
        program=$(readlink -f "$program")
        if [ -x "${program%/*}/initdb" ]; then
            echo "${program%/*}"
            return
        fi
    done
    return 1
}

# A server looks for its files by the way from its program to them, so Debian's layout is kept under DEST. It also
# starts its programs by name, without our loader: what bears the name is a script, the program is beside it.
gather() {
    local home=$DEST/usr/lib/postgresql/$1 from=$ROOT/usr/lib/postgresql/$1 program
    rm -rf "$DEST"/{bin,lib,usr}
    mkdir -p "$DEST"/{bin,lib,usr/share/postgresql} "$home"/{bin,lib}
    cp -a "$ROOT/usr/share/postgresql/$1" "$DEST/usr/share/postgresql/"
    cp "$from"/lib/{plpgsql,dict_snowball,libpqwalreceiver}.so "$from"/lib/*_and_*.so "$home/lib/"
    step "gathering its libraries" private_apt_libraries "$DEST/lib" \
        "$from"/bin/{postgres,initdb} "$home"/lib/*.so "$LIBS"/libnss_*.so.2
    for program in postgres initdb; do
        cp "$from/bin/$program" "$home/bin/$program.program"
        cat > "$home/bin/$program" <<'END_OF_SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd -P)
lib=${here%/usr/lib/postgresql/*}/lib
exec "$lib/ld.so" --library-path "$lib" "$here/$(basename "$0").program" "$@"
END_OF_SCRIPT
        chmod +x "$home/bin/$program"
    done
    chmod -R a+rX "$DEST"/{lib,usr} # it may be run as another user than the one who got it
    rmdir "$DEST/bin"
    ln -s "usr/lib/postgresql/$1/bin" "$DEST/bin"
}

main
