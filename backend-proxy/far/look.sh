# Says what the machine is, a fact a line; changes nothing.
fact() { printf '%s %s\n' "$1" "$2"; }

libc() {
  if version=$(getconf GNU_LIBC_VERSION 2>/dev/null) && [ -n "$version" ]; then
    echo "$version"
  elif ldd --version 2>&1 | grep -qi musl; then
    echo "musl $(ldd --version 2>&1 | sed -n 's/^Version //p')"
  else
    ldd --version 2>/dev/null | sed -n '1s/.* \([0-9][0-9.]*\)$/glibc \1/p'
  fi
}

# The limits of the control groups above us, the outermost too: each may be the one that holds.
group_limits() {
  group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)
  while :; do
    folder=/sys/fs/cgroup${group%/}
    [ -r "$folder/cpu.max" ] && fact cpu_max "$(cat "$folder/cpu.max")"
    [ -r "$folder/memory.max" ] && fact memory_max "$(cat "$folder/memory.max")"
    case $group in
      */*) group=${group%/*} ;;
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
  set -- "$1" "$2" $(df -Pk "$1" 2>/dev/null | sed -n '$s/.* \([0-9][0-9]*\)  *[0-9-][0-9]*%  *\(.*\)$/\1 \2/p')
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
  fact place "$state ${3:-0} ${mount:-rw} $2/far"
  [ "$state" = used ] && [ -s "$2/far/cache/speed" ] && fact speed "$(cat "$2/far/cache/speed") $2/far"
  return 0
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
fact memory_kib "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
group_limits
[ -c /dev/net/tun ] && fact tun yes
fact capabilities "$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)"
fact addresses "$({
  awk '/32 host/ { print address } { address = $2 }' /proc/net/fib_trie
  awk '$4 == "00" { print $1 }' /proc/net/if_inet6
} 2>/dev/null | sort -u | tr '\n' ' ')"
# Whether ports of ours can be closed to others: "yes", or why not. Nothing is made of what is only checked.
closes() {
  [ "$(id -u)" = 0 ] || { echo user; return; }
  PATH=$PATH:/usr/sbin:/sbin
  command -v nft >/dev/null 2>&1 || { echo missing; return; }
  if said=$(bounded 10 nft -c "$CHECKED"); then
    echo yes
  else
    printf 'refused %s\n' "$(printf '%s' "$said" | head -n 1)"
  fi
}
CHECKED='table inet hitch-check {
  set members4 { type ipv4_addr; elements = { 192.0.2.1 }; }
  chain input {
    type filter hook input priority filter; policy accept;
    iif "lo" accept
    ct state established,related accept
    ip saddr @members4 accept
    tcp dport 1-2 drop
  }
}'
fact closes "$(closes)"
# Where this connection came in: "address port" of the machine's own.
fact reached "$(printf '%s' "$SSH_CONNECTION" | cut -d ' ' -f 3,4)"
fact listening "$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' | sort -u | tr '\n' ' ')"
# A folder of a server that is gone answers nobody, and whoever asks waits with it: that one is said, and the rest looked at.
ask_place() {
  bounded 5 place "$@"
  [ $? -ne 124 ] || fact silent "$1"
}
ask_place "$HOME" "$HOME/.hitch"
# Those of servers below /mnt are not looked at, and said.
far_away=$(awk '$3 ~ /^(nfs|cifs|smb|fuse\.(sshfs|glusterfs|ceph|gcsfuse|rclone|s3fs|juicefs))/ { print $2 }' /proc/mounts 2>/dev/null | sed 's/\\040/ /g')
for folder in /workspace /data /mnt /mnt/* /root; do
  case $folder in
    /mnt/*) printf '%s\n' "$far_away" | grep -qxF -- "$folder" && { fact passed "$folder"; continue; } ;;
  esac
  [ "$folder" = "$HOME" ] || ask_place "$folder" "$folder/.hitch-$(id -u)"
done
if command -v crontab >/dev/null 2>&1 && cat /proc/[0-9]*/comm 2>/dev/null | grep -qxE 'crond?'; then
  # A user without a crontab is told so; one who may not have one is told that.
  crontab -l 2>&1 | grep -qi 'not allowed' || fact cron yes
fi
# What starts at a reboot is what this user's own systemd starts, where it may outlive the user's sessions.
user_systemd show-environment >/dev/null && fact unit yes
smi=$(command -v nvidia-smi || ls /usr/lib/wsl/lib/nvidia-smi 2>/dev/null)
if [ -n "$smi" ]; then
  echo '::gpus'
  # It asks each GPU, and waits for one that hangs.
  bounded 40 "$smi" -q -x
  [ $? -ne 124 ] || echo 'nvidia-smi has not answered for 40 seconds'
fi
