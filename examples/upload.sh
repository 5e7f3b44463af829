#!/usr/bin/env bash
# Upload a file of any size in chunks with curl alone: progress, resume, MD5.
#
#   upload.sh FILE [URL]        URL defaults to http://127.0.0.1:8000/uploads/
#
# Interrupt it, kill it, kill the server, pull the cable: run it again and it goes on where the
# server stands. What it remembers lies in FILE.upload and is removed at the end.
# Environment: CHUNK (bytes, default 16 MiB), TOKEN (Bearer token), TRIES (in a row, default 30).
set -euo pipefail

file=${1:?usage: upload.sh FILE [URL]}
url=${2:-http://127.0.0.1:8000/uploads/}
url=${url%/}
chunk=${CHUNK:-$((16 * 1024 * 1024))}
tries=${TRIES:-30}
state=$file.upload
name=$(basename -- "$file")
size=$(wc -c <"$file" | tr -d ' ')
stamp="$url $size $(date -r "$file" +%s)"

work=$(mktemp -d)
trap 'rm -rf "$work"; jobs -p | xargs -r kill 2>/dev/null || true' EXIT

md5() { if command -v md5sum >/dev/null; then md5sum | cut -c1-32; else md5 -q; fi; }
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" "$work/answer" | head -n 1; }
human() { awk -v n="$1" 'BEGIN { split("B KiB MiB GiB TiB", u); for (i = 1; n >= 1024 && i < 5; i++) n /= 1024; printf "%.1f %s", n, u[i] }'; }
quote() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' '%'; }

# Sends a request; prints the status (000 when the server cannot be reached), answer in a file.
request() {
    local headers=()
    [ -n "${TOKEN:-}" ] && headers=(-H "Authorization: Bearer $TOKEN")
    curl -sS -o "$work/answer" -w '%{http_code}' "${headers[@]}" "$@" 2>"$work/problem" || true
}

stop() {
    printf '\n%s\n' "$1" >&2
    [ -s "$work/answer" ] && { cat "$work/answer"; echo; } >&2
    exit 1
}

# Ask where the server stands; leaves id and offset, both empty for a new upload.
ask() {
    id='' offset=0
    [ -f "$state" ] && [ "$(sed -n 2p "$state")" = "$stamp" ] || return 0
    id=$(sed -n 1p "$state")
    case $(request "$url/$id") in
        200) offset=$(field offset) ;;
        404 | 410) rm -f "$state"; id='' ;;
        000 | 5??) return 1 ;;
        *) stop "The server does not tell where the upload stands:" ;;
    esac
}

# Send the bytes from $offset on; leaves the new offset.
send() {
    local end=$((offset + chunk)) target status
    [ "$end" -gt "$size" ] && end=$size
    target="$url/$id"
    [ -n "$id" ] || target="$url/?filename=$(quote "$name")"
    local range=(-H "Content-Range: bytes $offset-$((end - 1))/$size")
    [ "$size" -gt 0 ] || range=()
    status=$(tail -c "+$((offset + 1))" -- "$file" 2>/dev/null | head -c "$((end - offset))" |
        request -X POST -H 'Content-Type: application/octet-stream' -H 'Expect:' \
            "${range[@]}" --data-binary @- "$target") || true
    case $status in
        200)
            id=$(field upload_id)
            offset=$(field offset)
            printf '%s\n%s\n' "$id" "$stamp" >"$state.new" && mv "$state.new" "$state"
            ;;
        400)
            # A reply was lost: the server says where it stands.
            grep -q '"Offsets do not match"' "$work/answer" || stop "The server refused a chunk:"
            offset=$(field offset)
            ;;
        000 | 5?? | 408 | 429) return 1 ;;
        404 | 410) rm -f "$state"; id='' offset=0; return 1 ;;
        *) stop "The server refused a chunk ($status):" ;;
    esac
}

complete() {
    local status
    status=$(request -d "upload_id=$id" -d "md5=$(cat "$work/md5")" "$url/complete")
    case $status in
        200) return 0 ;;
        000 | 5??) return 1 ;;
        *) stop "The server could not complete the upload ($status):" ;;
    esac
}

# Runs a step until it works; waits longer after each failure.
insist() {
    local failed=0
    until "$@"; do
        failed=$((failed + 1))
        [ "$failed" -lt "$tries" ] || stop "Gave up after $tries tries: $(cat "$work/problem")"
        printf '\nno luck (%s), trying again\n' "$(head -c 200 "$work/problem" | tr -d '\n')" >&2
        sleep $((failed < 5 ? failed : 5))
        [ "$1" = ask ] || insist ask
    done
}

md5 <"$file" >"$work/md5" &
insist ask
[ "$offset" -gt 0 ] && echo "Resuming $name at $(human "$offset") of $(human "$size")"
began=$(date +%s) from=$offset
while [ -z "$id" ] || [ "$offset" -lt "$size" ]; do
    insist send
    seconds=$(($(date +%s) - began))
    printf '\r%3d%%  %s of %s  %s/s   ' "$((size ? offset * 100 / size : 100))" \
        "$(human "$offset")" "$(human "$size")" "$(human $(((offset - from) / (seconds ? seconds : 1))))"
done
wait
insist complete
rm -f "$state"
printf '\n%s is complete: md5 %s, %s\n' "$name" "$(field md5)" "$url/$id/file"
