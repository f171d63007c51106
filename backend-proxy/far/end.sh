# Ends every process of one machine and takes away what it has left here. The cache of packages stays.
read_values
TAG=HITCH_NODE=$REF

# Prints "number start" of each process of the machine: those with its exact tag, those found before, and the descendants
# of these that carry no tag at all. Never this program, never one with another machine's tag.
members() {
  tagged=$(grep -lF "$TAG" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "$TAG" && echo "$pid"
  done)
  others=$(grep -lF HITCH_NODE= /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3)
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v tagged="$tagged" -v others="$others" -v known="$KNOWN" -v own="$$" '
    BEGIN {
      split(tagged, list, /[ \n]+/); for (i in list) if (list[i] != "") wanted[list[i]] = 1
      split(others, list, /[ \n]+/); for (i in list) if (list[i] != "") other[list[i]] = 1
      split(known, list, /\n+/); for (i in list) if (list[i] != "") seen[list[i]] = 1
    }
    {
      pid = $1; line = $0; sub(/^.*\) /, "", line); n = split(line, field, " ")
      if (n < 20 || field[1] == "Z" || field[1] == "X") next
      parent[pid] = field[2]; start[pid] = field[20]
      if ((pid " " start[pid]) in seen) wanted[pid] = 1
    }
    END {
      do {
        more = 0
        for (pid in parent) if (!(pid in wanted) && !(pid in other) && (parent[pid] in wanted) && (parent[pid] in parent)) {
          wanted[pid] = 1; more = 1
        }
      } while (more)
      for (pid in wanted) if ((pid in start) && pid != own) print pid, start[pid]
    }'
}

MACHINE=$ROOT/machines/$REF
[ -n "$ROOT" ] && [ -d "$MACHINE" ] && : 2>/dev/null >"$MACHINE/stop"
if command -v crontab >/dev/null 2>&1 && crontab -l 2>/dev/null | grep -qF "# hitch $REF"; then
  crontab -l 2>/dev/null | grep -vF "# hitch $REF" | crontab - 2>/dev/null
fi

KNOWN=
round=0
while :; do
  LEFT=$(members)
  [ -n "$LEFT" ] || break
  KNOWN=$(printf '%s\n%s' "$KNOWN" "$LEFT" | sort -u)
  how=TERM
  [ "$round" -lt 8 ] || how=KILL
  # Asked once, then made.
  if [ "$round" -eq 0 ] || [ "$how" = KILL ]; then
    # shellcheck disable=SC2046
    kill -s "$how" $(echo "$LEFT" | cut -d ' ' -f 1) 2>/dev/null
  fi
  round=$((round + 1))
  [ "$round" -lt 60 ] || { printf '::left %s\n' "$(echo "$LEFT" | wc -l)"; exit 0; }
  nap
done

[ -n "$ROOT" ] || { echo '::ended'; exit 0; }
# Sockets and Ray's session lie in a short folder outside; only one of ours by name and owner is taken away.
short=$(cat "$MACHINE/state/run/short-folder" 2>/dev/null)
case $short in
  */*/*/* | *..*) ;;
  /tmp/ht-*) [ ! -h "$short" ] && [ -O "$short" ] && rm -rf "$short" ;;
esac
base=$(cat "$MACHINE/ports" 2>/dev/null)
[ -n "$base" ] && [ "$(readlink "$ROOT/ports/$base")" = "$REF" ] && rm -f "$ROOT/ports/$base"
rm -f "$SOCKET" "$ROOT/bootstrap/$REF".*
if [ -d "$MACHINE" ] && ! rm -rf "$MACHINE" 2>/dev/null; then
  # A folder that its owner closed is opened first.
  chmod -R u+rwX "$MACHINE" 2>/dev/null
  rm -rf "$MACHINE" || { echo '::stays'; exit 0; }
fi
echo '::ended'
