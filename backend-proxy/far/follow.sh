# Prints the log of a bootstrap as it grows, until it has ended. ROOT and RUN are set before.
AT=$ROOT/bootstrap
at=0
while :; do
  live=
  # shellcheck disable=SC2046
  runs $(cat "$AT/$RUN.pid" 2>/dev/null) && live=yes
  size=$(wc -c <"$AT/$RUN.log") || exit 1
  if [ "$size" -gt "$at" ]; then
    tail -c "+$((at + 1))" "$AT/$RUN.log" | head -c "$((size - at))"
    at=$((size))
  elif [ -z "$live" ]; then
    exit 0
  else
    nap
  fi
done
