# A command as the cluster's user, in a session of its own: its output goes to files, and its end is told in one line.
token=$1 sent_by=$2 seconds=$3
shift 3
PATH=$PATH:/opt/slurm/bin
folder=$(mktemp -d "$HOME/.trainyard-run-XXXXXXXX") || exit 1
timeout --kill-after=30 "$seconds" "$@" >"$folder/stdout" 2>"$folder/stderr" </dev/null &
work=$!
trap 'kill -TERM "$work"' HUP INT TERM
# A cancelled command loses the script that sent it, at once and without a word: this one then ends, too.
(while [ -d "/proc/$sent_by" ]; do sleep 1; done; kill -TERM "$work") >/dev/null 2>&1 </dev/null &
watch=$!
code=0
until wait "$work"; code=$?; [ ! -d "/proc/$work" ]; do :; done
kill "$watch" 2>/dev/null
if [ ! -d "/proc/$sent_by" ]; then rm -rf "$folder"; exit 1; fi
out=$(wc -c <"$folder/stdout") err=$(wc -c <"$folder/stderr")
kept=
if [ "$out" -gt OUT_BYTES ] || [ "$err" -gt ERR_BYTES ]; then kept=$folder; fi
printf '%s %s %s %s %s\n' "$token" "$code" "$((out))" "$((err))" "$kept"
head -c OUT_BYTES "$folder/stdout"
printf '%s\n' "$token" >&2
head -c ERR_BYTES "$folder/stderr" >&2
[ -n "$kept" ] || rm -rf "$folder"
