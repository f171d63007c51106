# Ends the set-up of one environment that nobody wants any more. What it has made of it so far, it takes away itself.
read_values
AT=$ROOT/bootstrap
# Another set-up of this machine may be under way by now.
grep -qx "LOCK_NAME=$LOCK_NAME" "$AT/$RUN.values" 2>/dev/null || exit 0
# One that is being started this moment looks for its values once more after it has said who it is.
rm -f "$AT/$RUN.values"
# shellcheck disable=SC2046
set -- $(cat "$AT/$RUN.pid" 2>/dev/null)
runs "$@" || exit 0
# All of its group: a shell hears of its end only when the program that it waits for is over.
kill -s TERM -- "-$2" 2>/dev/null || kill -s TERM "$2"
# It may have gigabytes to take away.
until=$(($(date +%s) + 60))
while runs "$@"; do
  [ "$(date +%s)" -lt "$until" ] || exit 1
  nap
done
exit 0
