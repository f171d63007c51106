# Ends every process of one machine and takes away what it has left here. The cache of packages stays.
read_values

# Prints "number tag" of each process that has a tag. GNU's grep reads an environment as it is, in one go. A variable may hold
# anything, lines that look like ours too: a tag is a whole variable and nothing but letters, digits and hyphens.
tags() {
  if printf 'a\0b' | grep -qzx b 2>/dev/null; then
    grep -zHo '^HITCH_NODE=[A-Za-z0-9-]*$' /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' |
      sed -n 's,^/proc/\([0-9]*\)/environ:HITCH_NODE=,\1 ,p'
  else
    for environment in /proc/[0-9]*/environ; do
      [ -r "$environment" ] || continue
      tag=$(tr '\0\n' '\n ' 2>/dev/null <"$environment" | sed -n 's/^HITCH_NODE=\([A-Za-z0-9-]*\)$/\1/p')
      pid=${environment#/proc/}
      [ -z "$tag" ] || echo "${pid%/environ} $tag"
    done 2>/dev/null
  fi
}

# Prints "number start" of each process of the machine: those with its exact tag, those found before, and the descendants
# of these that carry no tag at all. Never this program, never one with another machine's tag, and never one of another
# user's, not even where we are root: what somebody else writes in an environment is not ours to act on.
members() {
  tagged=$(tags | tr '\n' ';')
  {
    cat /proc/[0-9]*/stat
    grep -H '^Uid:' /proc/[0-9]*/status
  } 2>/dev/null | awk -v ref="$REF" -v tagged="$tagged" -v known="$KNOWN" -v own="$$" -v user="$(id -u)" '
    BEGIN {
      n = split(known, list, ";")
      for (i = 1; i <= n; i++) if (list[i] != "") seen[list[i]] = 1
    }
    /^\/proc\// {
      split($1, path, "/")
      if ($2 == user) mine[path[3]] = 1
      next
    }
    {
      pid = $1; line = $0; sub(/^.*\) /, "", line)
      if (split(line, field, " ") < 20 || field[1] == "Z" || field[1] == "X") next
      parent[pid] = field[2]; start[pid] = field[20]
      if ((pid " " start[pid]) in seen) wanted[pid] = 1
    }
    END {
      n = split(tagged, list, ";")
      for (i = 1; i <= n; i++) if (split(list[i], word, " ") == 2 && (word[1] in mine)) {
        if (word[2] == ref) wanted[word[1]] = 1
        else other[word[1]] = 1
      }
      do {
        more = 0
        for (pid in parent) if (!(pid in wanted) && !(pid in other) && (parent[pid] in wanted) && (parent[pid] in parent)) {
          wanted[pid] = 1; more = 1
        }
      } while (more)
      for (pid in wanted) if ((pid in start) && (pid in mine) && pid != own) print pid, start[pid]
    }'
}

MACHINE=$ROOT/machines/$REF
[ -n "$ROOT" ] && [ -d "$MACHINE" ] && : 2>/dev/null >"$MACHINE/stop"
[ -z "$ROOT" ] || remove_unit
remove_cron

KNOWN=
asked=
began=$(date +%s)
while :; do
  LEFT=$(members)
  [ -n "$LEFT" ] || break
  KNOWN=$KNOWN$(echo "$LEFT" | tr '\n' ';')
  waited=$(($(date +%s) - began))
  [ "$waited" -lt 18 ] || { printf '::left %s\n' "$(echo "$LEFT" | wc -l)"; exit 0; }
  # Asked once, then made.
  how=TERM
  [ "$waited" -lt 2 ] || how=KILL
  if [ -z "$asked" ] || [ "$how" = KILL ]; then
    # shellcheck disable=SC2046
    kill -s "$how" $(echo "$LEFT" | cut -d ' ' -f 1) 2>/dev/null
    asked=yes
  fi
  nap
done

# Nothing of it listens any more.
forget_closed
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
