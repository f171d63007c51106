# Makes the folders of one machine and takes a block of ports for it, or says which it has.
read_values
if [ -n "$LEASE" ]; then
  find_lease
  [ -d "$LEASE" ] || { echo '::gone'; exit 0; }
  read_gpus
  printf '::gpus %s %s\n' "$GPUS" "$GPU_NAMES"
fi
MACHINE=$ROOT/machines/$REF
mkdir -p "$MACHINE/state/logs" "$MACHINE/work" "$ROOT/ports" "$ROOT/bootstrap" "$ROOT/s" "$ROOT/cache/agent" || exit 1
: >"$ROOT/.root" || exit 1
# Told only when they are known: what starts the agent after a reboot, what its torch says of the GPUs, its network's speed.
[ -s "$MACHINE/reboot" ] && printf '::reboot %s\n' "$(cat "$MACHINE/reboot")"
[ -s "$ROOT/cache/torch" ] && printf '::torch %s\n' "$(cat "$ROOT/cache/torch")"
[ -s "$ROOT/cache/network" ] && printf '::network %s\n' "$(cat "$ROOT/cache/network")"
BASE=$(cat "$MACHINE/ports" 2>/dev/null)
for candidate in ${BASE:-$BLOCKS}; do
  claim=$ROOT/ports/$candidate
  # A link appears with its content or not at all, and only where there is none.
  if ln -s "$REF" "$claim" 2>/dev/null || [ "$(readlink "$claim")" = "$REF" ]; then
    printf '%s\n' "$candidate" >"$MACHINE/ports" || exit 1
    printf '::ports %s\n' "$candidate"
    exit 0
  fi
  # The machine that had it is gone.
  owner=$(readlink "$claim")
  [ -n "$owner" ] && [ ! -d "$ROOT/machines/$owner" ] && rm -f "$claim" && ln -s "$REF" "$claim" 2>/dev/null &&
    printf '%s\n' "$candidate" >"$MACHINE/ports" && printf '::ports %s\n' "$candidate" && exit 0
done
echo '::ports none'
