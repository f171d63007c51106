# Starts the bootstrap of one machine apart from this connection, unless it runs already.
read_values
AT=$ROOT/bootstrap
# shellcheck disable=SC2046
runs $(cat "$AT/$RUN.pid" 2>/dev/null) && exit 0
rm -f "$AT/$RUN.pid"
: >"$AT/$RUN.log" || exit 1
# Tagged, so that an end of the machine ends its set-up too.
HITCH_NODE=$RUN
export HITCH_NODE
# shellcheck disable=SC2016
detached sh -c 'exec sh "$1" "$2" >"$3" 2>&1' hitch "$AT/bootstrap.sh" "$AT/$RUN.values" "$AT/$RUN.log"
until=$(($(date +%s) + 10))
while [ "$(date +%s)" -lt "$until" ]; do
  [ -s "$AT/$RUN.pid" ] && exit 0
  nap
done
exit 1
