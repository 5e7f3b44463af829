#!/usr/bin/env bash
# Upload a file of any size in chunks with curl alone: progress, resume, MD5. --help tells how.
# Works with bash 3.2 and the tools of Linux, macOS and the BSDs.
set -euo pipefail
umask 077 # who knows an upload's id may use it

say() { printf '%s\n' "$*" >&2; }

help() {
    cat <<'END'
usage: upload.sh FILE [URL]

Uploads a file in chunks. URL is that of the upload service, by default
http://127.0.0.1:8000/uploads/

After any interruption, of this program or of the server, run it again: the
upload resumes at what the server has. FILE.upload keeps the upload's id until
the upload is complete. If the file has changed, the upload starts over.

Environment variables:
  CHUNK  size of a chunk in bytes, or with K, M or G: 512K, 8M (default: 16M).
         curl holds one chunk in memory.
  TOKEN  token to authenticate with, if the service wants one.
  TRIES  failures in a row before it gives up (default: 30).
END
}

# Prints the number of bytes of a size such as 8M; fails for anything else.
bytes() {
    local digits=${1%[KkMmGg]} unit=1
    case $digits in '' | *[!0-9]* | ?????????????*) return 1 ;; esac
    case $1 in *[Kk]) unit=1024 ;; *[Mm]) unit=1048576 ;; *[Gg]) unit=1073741824 ;; esac
    printf '%s' "$((10#$digits * unit))"
}

case ${1:-} in -h | --help) help; exit ;; esac
file=${1:-}
url=${2:-http://127.0.0.1:8000/uploads/}
url=${url%/}
tries=${TRIES:-30}

[ -n "$file" ] || { say "usage: upload.sh FILE [URL]; --help tells more"; exit 2; }
[ -f "$file" ] && [ -r "$file" ] || { say "upload.sh: $file is not a file that can be read"; exit 2; }
chunk=$(bytes "${CHUNK:-16M}") || { say "upload.sh: CHUNK must be a size such as 8388608, 512K or 8M"; exit 2; }
case $tries in *[!0-9]*) say "upload.sh: TRIES must be a plain number"; exit 2 ;; esac
[ "$chunk" -gt 0 ] || { say "upload.sh: CHUNK must not be 0"; exit 2; }
case $file in -*) file=./$file ;; esac

name=$(basename "$file")
state=$file.upload
work=$(mktemp -d)
hashing=''
trap '[ -z "$hashing" ] || kill "$hashing" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Not on curl's command line, where other users could read it.
: >"$work/headers"
[ -z "${TOKEN:-}" ] || printf 'Authorization: Bearer %s\n' "$TOKEN" >"$work/headers"

md5() { if command -v md5sum >/dev/null; then md5sum | cut -c1-32; else command md5 -q; fi; }
modified() { stat -c %.9Y "$file" 2>/dev/null || stat -f %Fm "$file"; } # GNU, BSD
stamp() { printf '%s %s %s' "$url" "$(wc -c <"$file" | tr -d ' ')" "$(modified)"; }
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" "$work/answer" | head -n 1; }
quote() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'; }
human() {
    awk -v n="$1" 'BEGIN { split("B KiB MiB GiB TiB", u); for (i = 1; n >= 1024 && i < 5; i++) n /= 1024
        printf "%.1f %s", n, u[i] }'
}
clock() { # seconds as m:ss or h:mm:ss
    local hours=$(($1 / 3600)) minutes=$(($1 / 60 % 60))
    if [ "$hours" -gt 0 ]; then printf '%d:%02d:%02d' "$hours" "$minutes" "$(($1 % 60))"
    else printf '%d:%02d' "$minutes" "$(($1 % 60))"; fi
}

# Shows how far the upload is, how fast it has been in this run, and how long the rest takes at that rate.
progress() {
    local seconds=$(($(date +%s) - began)) sent=$((offset - from)) left=''
    [ "$sent" -le 0 ] || [ "$offset" -ge "$size" ] || left="$(clock $((seconds * (size - offset) / sent))) left"
    printf '\r%3d%%  %s of %s  %s/s  %-14s' "$((size ? offset * 100 / size : 100))" \
        "$(human "$offset")" "$(human "$size")" "$(human $((sent / (seconds ? seconds : 1))))" "$left" >&2
}

# Sends a request; prints the status (000 when there was no whole answer), the answer in a file.
request() {
    local status
    : >"$work/answer"
    status=$(curl -sS -g --connect-timeout 10 --speed-limit 1 --speed-time 60 -H "@$work/headers" \
        -o "$work/answer" -w '%{http_code}' "$@" 2>"$work/problem") ||
        case $status in 4?? | 5??) ;; *) status=000 ;; esac
    printf %s "$status"
}

stop() {
    say ''
    say "upload.sh: $1"
    if [ -s "$work/answer" ]; then say "$(head -c 2000 "$work/answer")"; fi
    exit 1
}

# The answer is not shown: another site's page tells nothing.
no_service() {
    : >"$work/answer"
    stop "there is no upload service at $url/; its address ends in /uploads/ unless it was set otherwise"
}

# Ask where the server stands; leaves id and offset, both empty for a new upload.
ask() {
    local status
    id='' offset=0
    [ -f "$state" ] && [ "$(sed -n 2p "$state")" = "$stamp" ] || return 0
    id=$(sed -n 1p "$state")
    status=$(request "$url/$id")
    case $status in
        200) take_offset ;;
        404 | 410) rm -f "$state"; id='' ;;
        000 | 5??) return 1 ;;
        *) stop "the server does not tell where the upload stands ($status):" ;;
    esac
}

take_offset() {
    offset=$(field offset)
    case $offset in '' | *[!0-9]*) offset=0; return 1 ;; esac
}

# Send the bytes from $offset on; leaves the new offset.
send() {
    local end=$((offset + chunk)) before=$offset target status
    [ "$end" -le "$size" ] || end=$size
    target="$url/$id"
    [ -n "$id" ] || target="$url/?filename=$(quote "$name")"
    set -- -H "Content-Range: bytes $offset-$((end - 1))/$size"
    [ "$size" -gt 0 ] || set --
    status=$(tail -c "+$((offset + 1))" <"$file" 2>/dev/null | head -c "$((end - offset))" |
        request -X POST -H 'Content-Type: application/octet-stream' -H 'Expect:' \
            ${1+"$@"} --data-binary @- "$target") || true
    case $status in
        200)
            id=$(field upload_id)
            [ -n "$id" ] || no_service
            take_offset && remember
            ;;
        400)
            # A reply was lost, or another run is at work: the server says where it stands.
            grep -q '"Offsets do not match"' "$work/answer" || stop "the server refused a chunk:"
            take_offset && [ "$offset" -ne "$before" ]
            ;;
        404 | 405 | 410)
            [ -n "$id" ] || no_service
            rm -f "$state"
            return 1
            ;;
        000 | 408 | 429 | 5??) return 1 ;;
        *) stop "the server refused a chunk ($status):" ;;
    esac
}

remember() {
    { printf '%s\n%s\n' "$id" "$stamp" >"$state.new" && mv -f "$state.new" "$state"; } 2>/dev/null ||
        say "Cannot write $state, so this upload cannot be resumed by another run."
}

complete() {
    local status
    status=$(request -d "upload_id=$id" -d "md5=$(cat "$work/md5")" "$url/complete")
    case $status in
        200) return 0 ;;
        000 | 429 | 5??) return 1 ;;
    esac
    if grep -q 'checksum does not match' "$work/answer"; then
        rm -f "$state"
        stop "$file was changed while it was uploaded; run this again to start over:"
    fi
    stop "the server could not complete the upload ($status):"
}

# Runs a step until it works; waits longer after each failure.
insist() {
    local failed=0
    until "$@"; do
        failed=$((failed + 1))
        local why
        why=$(cat "$work/problem" "$work/answer" 2>/dev/null | head -c 300 | tr '\n' ' ')
        [ "$failed" -lt "$tries" ] || stop "gave up after $tries tries: $why"
        say ''
        say "No luck ($why), trying again"
        sleep $((failed < 5 ? failed : 5))
        [ "$1" != send ] || insist ask
    done
}

size=$(wc -c <"$file" | tr -d ' ')
stamp=$(stamp)
md5 <"$file" >"$work/md5" &
hashing=$!
insist ask
[ "$offset" -eq 0 ] || say "Resuming $name at $(human "$offset") of $(human "$size")"
began=$(date +%s) from=$offset
while [ -z "$id" ] || [ "$offset" -lt "$size" ]; do
    insist send
    progress
done
wait "$hashing" || stop "$file cannot be read"
hashing=''
insist complete
rm -f "$state"
say ''
printf '%s is complete: md5 %s, %s\n' "$name" "$(field md5)" "$url/$id/file"
