# Starts the agent of one machine unless that very agent runs; ends the one that was started from something else. Only the
# agent: kernels and Ray go on, and the next agent takes them over.
read_values
find_lease
MACHINE=$ROOT/machines/$REF
[ -d "$MACHINE/state" ] || { echo '::gone'; exit 0; }
NODE=$(cat "$ROOT/cache/node-$NODE_NAME.path" 2>/dev/null)
for needed in "$NODE" "$BUNDLE" "$LOOP_PROGRAM"; do
  [ -r "$needed" ] || { printf '::missing %s\n' "$needed"; exit 0; }
done

# Sets LOOP and FROM: the loop that runs, and from what it was started. AGENT: the agent that runs.
find_agent() {
  LOOP='' FROM='' AGENT=''
  # shellcheck disable=SC2046
  set -- $(cat "$MACHINE/loop" 2>/dev/null)
  runs "$@" && LOOP=$2 FROM=$4
  # shellcheck disable=SC2046
  set -- $(cat "$MACHINE/agent" 2>/dev/null)
  [ -n "$2" ] && [ "$(started "$1")" = "$2" ] && tr '\0\n' '\n ' <"/proc/$1/environ" | grep -qxF "HITCH_NODE=$REF" && AGENT=$1
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
  kill -s "$how" "${AGENT:-$LOOP}" 2>/dev/null
  nap
done

environment() {
  # shellcheck disable=SC2086
  printf '%s\n' "HITCH_NODE=$REF" "IPYTHONDIR=$MACHINE/state/ipython" $AGENT_ENVIRONMENT
  # Other uses share the machine: programs of this one see its GPUs, or none, and no others. CUDA takes names in place of
  # numbers (CUDA's programming guide, "CUDA Environment Variables"), which stay when the machine starts again.
  read_gpus
  if [ "$GPUS" = 0 ]; then
    echo 'CUDA_VISIBLE_DEVICES='
  elif [ -n "$GPU_NAMES" ]; then
    printf 'CUDA_VISIBLE_DEVICES=%s\n' "$GPU_NAMES"
  fi
  # What cron does not bring back after a reboot.
  for name in PATH LANG LD_LIBRARY_PATH CUDA_HOME NVIDIA_VISIBLE_DEVICES SSL_CERT_FILE HF_HOME \
    http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    eval "value=\$$name"
    [ -z "$value" ] || printf '%s=%s\n' "$name" "$value"
  done
}
{
  printf '%s\n' "$CONFIG" >"$MACHINE/agent-config.json.part" && mv "$MACHINE/agent-config.json.part" "$MACHINE/agent-config.json" &&
    environment >"$MACHINE/environment" &&
    printf '%s\n' "NODE=$NODE" "NODE_FLAGS=$NODE_FLAGS" "BUNDLE=$BUNDLE" "STARTED_FROM=$STARTED_FROM" >"$MACHINE/agent-values" &&
    : >>"$MACHINE/state/logs/agent.log"
} 2>/dev/null || { echo '::full'; exit 0; }
rm -f "$MACHINE/stop" "$MACHINE/exits" "$MACHINE/loop" "$MACHINE/agent" "$LISTEN"
# Prints what starts the agent again after a reboot: "unit", "cron" or "nothing".
start_at_reboot() {
  # Never both: two loops that start at once need not see each other.
  [ -n "$UNIT" ] && add_unit && { remove_cron; echo unit; return; }
  remove_unit
  [ -n "$CRON" ] || { echo nothing; return; }
  if ! read_crontab; then
    printf 'The crontab cannot be read (%s): after a reboot the agent starts when Hitch reaches the machine.\n' "$SAID" \
      >>"$MACHINE/state/logs/agent.log"
    echo nothing
    return
  fi
  {
    crontab_of_others
    printf '@reboot HITCH_NODE=%s sh %s %s # hitch %s\n' "$REF" "$LOOP_PROGRAM" "$MACHINE" "$REF"
  } | crontab - 2>/dev/null && echo cron || echo nothing
}
start_at_reboot >"$MACHINE/reboot"
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
    printf '::died %s\n' "$(head -n 1 "$MACHINE/exits")"
    tail -c "+$((before + 1))" "$MACHINE/state/logs/agent.log" | tail -n 5
    exit 0
  fi
  nap
done
echo '::started'
