# Begins every program of Hitch for a far machine. POSIX sh and what every Linux has: no bash, no Python, no root.
LOCALE_BEFORE=$LC_ALL
LC_ALL=C
export LC_ALL
UMASK_BEFORE=$(umask)
umask 077

# For what people's programs are started from: the language and the modes of new files as this account has them.
as_before() {
  umask "$UMASK_BEFORE"
  if [ -n "$LOCALE_BEFORE" ]; then
    LC_ALL=$LOCALE_BEFORE
  else
    unset LC_ALL
  fi
}

nap() { sleep 0.2 2>/dev/null || sleep 1; }

# Values come as lines NAME=value, never as part of a program: nothing in them is ever read as shell.
read_values() {
  while IFS= read -r line; do
    name=${line%%=*}
    case $name in
      '' | *[!A-Z_]*) ;;
      *) eval "$name=\${line#*=}" ;;
    esac
  done
}

# The start time of a process, which with its number names it and no later one; nothing where it has ended.
started() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The program's name stands in brackets and may hold brackets and blanks itself.
  # shellcheck disable=SC2086
  set -- ${stat##*)}
  case $1 in
    Z | X) ;;
    *) echo "${20}" ;;
  esac
}

# Which start of which machine this is: another one's numbers of processes mean nothing here.
boot_of() {
  echo "$(uname -n)/$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
}

# Whether the process that "boot number start" names still runs.
runs() {
  [ "$1" = "$(boot_of)" ] && [ -n "$3" ] && [ "$(started "$2")" = "$3" ]
}

# A lease is named from the home folder on, or whole.
find_lease() {
  case $LEASE in
    /* | '') ;;
    *) LEASE=$HOME/$LEASE ;;
  esac
}

# Sets GPUS to the number of GPUs that the lease LEASE was made for, whose first line is "price from gpus by at names address",
# and GPU_NAMES to their names, with commas between; one whose line was lost is for none. Without a lease GPUS is empty.
read_gpus() {
  GPUS='' GPU_NAMES=''
  [ -n "$LEASE" ] || return 0
  # A folder that is gone has no line either.
  { read -r _ _ GPUS _ _ GPU_NAMES _ <"$LEASE/lease"; } 2>/dev/null
  [ "$GPU_NAMES" != - ] || GPU_NAMES=
  case $GPUS in
    '' | *[!0-9]*) GPUS=0 ;;
  esac
}

# Sets CRONTAB to the lines of this user's crontab; a user who has none yet has no lines. Fails, with the words in SAID, where
# they cannot be read: to write others in their place would lose them.
read_crontab() {
  CRONTAB=$(crontab -l 2>/dev/null) && return 0
  CRONTAB=
  SAID=$(crontab -l 2>&1) && return 1
  case $SAID in
    # The second is BusyBox's.
    *[Nn]'o crontab for'* | *"can't open"*'No such file or directory'*) ;;
    *) return 1 ;;
  esac
}

# The lines of CRONTAB but those of the machine REF. A line names its machine, so that it is taken out and no other.
crontab_of_others() {
  [ -z "$CRONTAB" ] || printf '%s\n' "$CRONTAB" | grep -vF "# hitch $REF"
}

# Takes the line of the machine REF out of the crontab, where there is one.
remove_cron() {
  command -v crontab >/dev/null 2>&1 && read_crontab && printf '%s\n' "$CRONTAB" | grep -qF "# hitch $REF" || return 0
  crontab_of_others | crontab - >/dev/null 2>&1
}

# Starts a program that outlives this connection, in a group of its own where that can be had.
detached() {
  if command -v setsid >/dev/null 2>&1; then
    setsid "$@" </dev/null >/dev/null 2>&1 &
  else
    nohup "$@" </dev/null >/dev/null 2>&1 &
  fi
}

# bounded <seconds> <program...>: prints what it says to the end, for programs whose answer may never come (a folder whose
# server is gone, a GPU that hangs). Its code is the program's; 124 where the end did not come in time: what hangs in the
# kernel cannot be ended, and is left behind with nothing of this connection in its hands.
bounded() {
  seconds=$1
  shift
  {
    {
      "$@" 2>&1
      # What it says need not end with a line's end.
      printf '\n::over %s\n' "$?"
    } </dev/null 2>/dev/null &
    asked=$!
    {
      until=$(($(date +%s) + seconds))
      while [ -n "$(started "$asked")" ] && [ "$(date +%s)" -lt "$until" ]; do nap; done
      kill -s KILL "$asked"
      printf '\n::silent\n'
    } </dev/null 2>/dev/null &
  } | (
    # Line by line and no further: other readers would wait for more, which never comes. An empty line is printed before
    # the next one: the last is not the program's.
    empty=
    while IFS= read -r line; do
      case $line in
        '::over '*) exit "${line#::over }" ;;
        ::silent) exit 124 ;;
      esac
      [ -z "$empty" ] || echo
      empty=
      [ -n "$line" ] || { empty=yes; continue; }
      printf '%s\n' "$line"
    done
    exit 124
  )
}

# Asks this user's own systemd, where there is one.
user_systemd() {
  command -v systemctl >/dev/null 2>&1 &&
    bounded 10 env "XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}" systemctl --user "$@"
}

# Whether nobody need be asked what this machine's torch says of its GPUs: there are none, or it was asked since the start.
torch_is_known() {
  command -v nvidia-smi >/dev/null 2>&1 || return 0
  [ "$(cut -d ' ' -f 1 "$ROOT/cache/torch" 2>/dev/null)" = "$(boot_of)" ]
}
