# What a machine runs first that the world reaches by a web address alone: it makes an sshd ready, and stands at the door.
# In its environment: SSH_PUBKEY is the key that is let in, HITCH_PROOF the boot secret. The image needs a shell, sshd and
# python3 (3.8 or newer); a Debian-like one gets what it lacks of the latter two by apt, which takes about half a minute.
set -e
if ! [ -x /usr/sbin/sshd ] || ! command -v python3 >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y --no-install-recommends openssh-server python3
fi
here=/run/hitch-door
umask 077
mkdir -p "$here"
# Without privileges sshd looks into this one, which must be nobody else's.
mkdir -p -m 755 /run/sshd
printf '%s\n' "$SSH_PUBKEY" >"$here/authorized_keys"
ssh-keygen -A
# Sessions find the programs that the image has; a value that sshd could read as something else stays away.
session=
for name in PATH LD_LIBRARY_PATH; do
  eval "value=\${$name:-}"
  case $value in
    '' | *[!A-Za-z0-9_./:+@,-]*) ;;
    *) session="$session $name=$value" ;;
  esac
done
cat >"$here/sshd_config" <<END
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile $here/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
Subsystem sftp internal-sftp
${session:+SetEnv$session}
END
cat >"$here/door.py" <<'END_OF_DOOR'
@DOOR@
END_OF_DOOR
export HITCH_DOOR_SSHD=/usr/sbin/sshd HITCH_DOOR_CONFIG="$here/sshd_config"
set +e
# The shell stays the first process, whose environment proves the host key.
while :; do
  python3 "$here/door.py"
  sleep 1
done
