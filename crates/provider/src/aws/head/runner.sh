# A command as the cluster's user, in a session of its own: its output goes to files, and its end is told in one line.
token=$1 sent_by=$2 seconds=$3
shift 3
PATH=$PATH:/opt/slurm/bin
folder=$(mktemp -d "$HOME/.trainyard-run-XXXXXXXX") || exit 1
mkfifo "$folder/out" "$folder/err" || exit 1
# What comes in goes to FILE.000000, FILE.000001, … as it comes. The disk is other people's, too: of an output without end
# the first part and the last two stay. What does not fit on the disk is let go, and the command goes on.
part='
  cat >"$FILE" || { : >"${FILE%.*}.lost"; cat >/dev/null; }
  number=$(expr "${FILE##*.}" - 2)
  [ "$number" -lt 1 ] || rm -f "${FILE%.*}.$(printf %06d "$number")"
'
keep() { SHELL=/bin/sh split -b KEEP_BYTES -d -a 6 --filter="$part" - "$1."; : >"$1.done"; }
last() { for one in "$1".[0-9]*; do :; done; [ ! -e "$one" ] || echo "$one"; }
wrote() {
  last=$(last "$1")
  if [ -n "$last" ]; then expr "${last##*.}" \* KEEP_BYTES + "$(wc -c <"$last")"; else echo 0; fi
}
# Whether something is missing between beginning and end.
gone() {
  last=$(last "$1")
  [ -e "$1.lost" ] || { [ -n "$last" ] && [ "$(expr "${last##*.}" + 1)" -ne "$(ls "$1".[0-9]* | wc -l)" ]; }
}
# They end with the last that writes, which may be later than this script: nothing of its own stays open in them.
(keep "$folder/stdout" <"$folder/out") >/dev/null 2>&1 &
(keep "$folder/stderr" <"$folder/err") >/dev/null 2>&1 &
timeout --kill-after=30 "$seconds" "$@" >"$folder/out" 2>"$folder/err" </dev/null &
work=$!
trap 'kill -TERM "$work"' HUP INT TERM
# A cancelled command loses the script that sent it, at once and without a word: this one then ends, too.
(while [ -d "/proc/$sent_by" ]; do sleep 1; done; kill -TERM "$work") >/dev/null 2>&1 </dev/null &
watch=$!
code=0
until wait "$work"; code=$?; [ ! -d "/proc/$work" ]; do :; done
kill "$watch" 2>/dev/null
if [ ! -d "/proc/$sent_by" ]; then rm -rf "$folder"; exit 1; fi
# What the command left behind may hold its output open for ever: that is not waited for.
is_over() { [ -e "$folder/stdout.done" ] && [ -e "$folder/stderr.done" ]; }
looks=0
until is_over || [ "$looks" -eq 50 ]; do sleep 0.02; looks=$((looks + 1)); done
out=$(wrote "$folder/stdout") err=$(wrote "$folder/stderr")
kept='' how=-
if gone "$folder/stdout"; then how=${how}o; fi
if gone "$folder/stderr"; then how=${how}e; fi
if ! is_over; then how=${how}w kept=$folder; fi
if [ "$out" -gt OUT_BYTES ] || [ "$err" -gt ERR_BYTES ]; then kept=$folder; fi
printf '%s %s %s %s %s %s\n' "$token" "$code" "$out" "$err" "$how" "$kept"
[ ! -e "$folder/stdout.000000" ] || head -c OUT_BYTES "$folder/stdout.000000"
printf '%s\n' "$token" >&2
[ ! -e "$folder/stderr.000000" ] || head -c ERR_BYTES "$folder/stderr.000000" >&2
if [ -n "$kept" ]; then rm -f "$folder/out" "$folder/err" "$folder"/*.done "$folder"/*.lost; else rm -rf "$folder"; fi
