# A command as the cluster's user, in a session of its own: its output goes to files, and its end is told in one line.
token=$1 sent_by=$2 seconds=$3
shift 3
PATH=$PATH:/opt/slurm/bin
folder=$(mktemp -d "$HOME/.trainyard-run-XXXXXXXX") || exit 1
wrote() { echo "$(($(cat "$1.gone" 2>/dev/null || echo 0) + $(wc -c <"$1")))"; }
begin() { if [ -e "$1.begin" ]; then cat "$1.begin"; else cat "$1"; fi; }
# The disk is other people's, too: of a long output its beginning stays and its last part, as `logrotate` would keep it.
rotate() {
  [ "$(wc -c <"$1")" -gt KEEP_BYTES ] || return 0
  [ -e "$1.begin" ] || head -c OUT_BYTES "$1" >"$1.begin"
  gone=$(wrote "$1")
  cp "$1" "$1.1"
  : >"$1"
  echo "$gone" >"$1.gone"
}
# Appending: after a rotation, a file begins at its beginning again.
timeout --kill-after=30 "$seconds" "$@" >>"$folder/stdout" 2>>"$folder/stderr" </dev/null &
work=$!
trap 'kill -TERM "$work"' HUP INT TERM
# A cancelled command loses the script that sent it, at once and without a word: this one then ends, too.
(
  while [ -d "/proc/$sent_by" ]; do
    sleep 1
    rotate "$folder/stdout"
    rotate "$folder/stderr"
  done
  kill -TERM "$work"
) >/dev/null 2>&1 </dev/null &
watch=$!
code=0
until wait "$work"; code=$?; [ ! -d "/proc/$work" ]; do :; done
kill "$watch" 2>/dev/null
if [ ! -d "/proc/$sent_by" ]; then rm -rf "$folder"; exit 1; fi
out=$(wrote "$folder/stdout") err=$(wrote "$folder/stderr")
kept=
if [ "$out" -gt OUT_BYTES ] || [ "$err" -gt ERR_BYTES ]; then kept=$folder; fi
printf '%s %s %s %s %s\n' "$token" "$code" "$((out))" "$((err))" "$kept"
begin "$folder/stdout" | head -c OUT_BYTES
printf '%s\n' "$token" >&2
begin "$folder/stderr" | head -c ERR_BYTES >&2
[ -n "$kept" ] || rm -rf "$folder"
