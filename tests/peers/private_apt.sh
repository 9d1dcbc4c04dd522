# Unpacks Debian packages into a folder, with everything they need, and runs them from there. Sourced by the
# installers of the peers (asterisk/install.sh, get_sipp.sh, get_postgres.sh, get_chromium.sh); needs no root and
# touches nothing of the host.
#
# How: an apt state of our own (lists, cache, and an *empty* dpkg status, so that the closure of a package has libc
# in it too), `--download-only install`, `dpkg --fsys-tarfile | tar -x`; programs then run by the unpacked dynamic
# loader with `--library-path`. Mirrors come from the machine's own apt configuration.
#
#   private_apt_begin DIR          DIR: a scratch folder that the caller removes
#   private_apt_find PACKAGE SUITE...   sets FOUND: the host's own release, or the first SUITE that has PACKAGE
#   private_apt_has PACKAGE        is there such a package where FOUND was found
#   private_apt_unpack PACKAGE...  downloads and unpacks into $ROOT
#   private_apt_fetch PACKAGE      the same for the package alone, without what it needs
#   private_apt_loader             sets LOADER and LIBS: the unpacked ld.so, and the folder of its libc
#   step WHAT COMMAND...           says WHAT, runs COMMAND, and every 5 s that it is still at it

say() { echo "$SAYS: $*" >&2; }

step() {
    local what=$1 began=$SECONDS worker
    shift
    say "$what"
    ( while sleep 5; do say "$what: $((SECONDS - began)) s so far"; done ) &
    worker=$!
    local status=0
    "$@" || status=$?
    kill "$worker" 2>/dev/null || true
    wait "$worker" 2>/dev/null || true
    return "$status"
}

private_apt_begin() {
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
        { say "this machine has no apt; install the program by the system's own means and put it on PATH"; return 1; }
    STATE=$1
    ROOT=$STATE/root
    mkdir -p "$STATE"/lists/partial "$STATE"/cache/archives/partial "$ROOT"
    : > "$STATE/status"
    ARCH=$(dpkg --print-architecture)
    # shellcheck disable=SC1091
    . /etc/os-release
    APT=(-q -o APT::Get::Assume-Yes=1 -o Dir::State="$STATE" -o Dir::State::lists="$STATE/lists"
        -o Dir::State::status="$STATE/status" -o Dir::Cache="$STATE/cache" -o Dir::Log="$STATE"
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
        -o APT::Install-Recommends=0 -o APT::Install-Suggests=0 -o Acquire::Languages=none -o Acquire::Retries=3
        -o APT::Keep-Downloaded-Packages=true -o Binary::apt-get::APT::Keep-Downloaded-Packages=true
        -o APT::Sandbox::User= -o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success= -o Dpkg::Use-Pty=0)
    SOURCES=()
}

# "SITE RELEASE" of every source the host has configured; needs neither lists on disk, nor root, nor the network.
private_apt_sites() {
    apt-get --print-uris -o Dir::State="$STATE" -o Dir::State::lists="$STATE/lists" -o Dir::Cache="$STATE/cache" \
        update 2>/dev/null | sed -n "s#^'\(.*\)/dists/\([^/']*\)/InRelease'.*#\1 \2#p" | sort -u
}

private_apt_update() { apt-get "${APT[@]}" "${SOURCES[@]}" update > "$STATE/update.log" 2>&1; }

private_apt_candidate() {
    apt-cache "${APT[@]}" "${SOURCES[@]}" policy "$1" 2>/dev/null | grep 'Candidate: [0-9]' >/dev/null
}

private_apt_has() { apt-cache "${APT[@]}" "${SOURCES[@]}" show "$1" >/dev/null 2>&1; }

# A log of apt without the mirror's name: whose mirror it is belongs to the machine.
private_apt_show() { sed -E 's#(https?://)[^/ ]*#\1<mirror>#g' "$1" >&2; }

private_apt_find() {
    local package=$1 site suite component=main keyring='' file
    shift
    FOUND=
    step "reading the package lists of this machine's release" private_apt_update || true
    if private_apt_candidate "$package"; then
        FOUND="$ID ${VERSION_CODENAME:-}"
        return
    fi
    site=$(private_apt_sites | awk -v release="${VERSION_CODENAME:-}" '$2 == release { print $1; exit }')
    [ -n "$site" ] || site=$(private_apt_sites | awk '$2 !~ /-/ { print $1; exit }')
    [ -n "$site" ] || { say "apt has no source configured; add a Debian mirror to its sources"; return 1; }
    if [ "$ID" = ubuntu ]; then
        component="main universe"
        set -- "${VERSION_CODENAME:-}"
    fi
    for file in "/usr/share/keyrings/$ID-archive-keyring.gpg" /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        if [ -r "$file" ]; then keyring="signed-by=$file"; break; fi
    done
    for suite in "$@"; do
        echo "deb [arch=$ARCH $keyring] $site $suite $component" > "$STATE/sources.list"
        SOURCES=(-o Dir::Etc::sourcelist="$STATE/sources.list" -o Dir::Etc::sourceparts=/dev/null)
        if step "reading the package lists of $suite" private_apt_update && private_apt_candidate "$package"; then
            FOUND=$suite
            return
        fi
        say "suite $suite: not usable"
    done
    say "no suite of the configured mirror has $package"
    private_apt_show "$STATE/update.log"
    return 1
}

private_apt_download() {
    apt-get "${APT[@]}" "${SOURCES[@]}" --download-only install "$@" > "$STATE/download.log" 2>&1
}

private_apt_extract() {
    # Left out: what only a package's installation scripts need.
    find "$STATE/cache/archives" -maxdepth 1 -name '*.deb' |
        grep -vE '/(perl|libperl|gnupg|gpg|dirmngr|debconf|passwd|adduser|snmp|libsnmp-base|libicu-)[^/]*$' |
        xargs -P "$(nproc)" -I{} sh -c 'dpkg --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink \
            --no-same-owner --warning=no-timestamp --exclude=./usr/share/doc --exclude=./usr/share/man \
            --exclude=./usr/share/locale --exclude=./usr/share/info --exclude=./var/cache \
            --exclude="./usr/lib/*/gconv"' _ {} "$ROOT"
}

private_apt_unpack() {
    step "downloading from $FOUND: $*" private_apt_download "$@" || { private_apt_show "$STATE/download.log"; return 1; }
    mkdir -p "$ROOT"/usr/{bin,sbin,lib,lib64}
    local folder
    for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$ROOT/$folder"; done
    step "unpacking $(find "$STATE/cache/archives" -maxdepth 1 -name '*.deb' | wc -l) packages" private_apt_extract
}

private_apt_fetch() {
    (cd "$STATE/cache/archives" && step "downloading $1 from $FOUND" \
        apt-get "${APT[@]}" "${SOURCES[@]}" download "$1" > "$STATE/download.log" 2>&1) ||
        { private_apt_show "$STATE/download.log"; return 1; }
    dpkg -x "$STATE"/cache/archives/"$1"_*.deb "$ROOT"
}

private_apt_loader() {
    LOADER=$(find "$ROOT"/usr/lib "$ROOT"/usr/lib64 -name 'ld-linux*.so.[0-9]*' -type f -print -quit)
    [ -n "$LOADER" ] || LOADER=$(find "$ROOT"/usr/lib -name 'ld-2.*.so' -type f -print -quit)
    LIBS=$(dirname "$(find "$ROOT"/usr/lib -name 'libc.so.6' -print -quit)")
}

# Copies the libraries that the files named need (as the unpacked loader finds them), and the loader, into a folder.
private_apt_libraries() {
    local into=$1 file
    shift
    for file in "$@"; do
        [ ! -e "$file" ] || "$LOADER" --library-path "$LIBS:$ROOT/usr/lib" --list "$file" 2>/dev/null || true
    done | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | grep "^$ROOT/" | xargs -I{} cp -L {} "$into/"
    cp -L "$LOADER" "$into/ld.so"
}
