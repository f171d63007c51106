# Says of each host key of this machine a hash over it and the boot secret, which whoever stands between does not know.
secret=$HITCH_PROOF
if [ -z "$secret" ]; then
  # Containers are given it as the environment of their first process, which need not be that of a session.
  secret=$(tr '\0' '\n' </proc/1/environ 2>/dev/null | sed -n 's/^HITCH_PROOF=//p' | head -n 1)
fi
if [ -z "$secret" ]; then
  echo '::unproved'
  exit 0
fi
hash_of() { { sha256sum || shasum -a 256 || openssl dgst -sha256 -r; } 2>/dev/null | sed 's/ .*//'; }
# Where the keys do not lie in the usual place, this machine's own sshd is asked for them.
# shellcheck disable=SC2086
set -- $SSH_CONNECTION
{
  cat /etc/ssh/ssh_host_*_key.pub
  [ $# -eq 4 ] && ssh-keyscan -T 5 -p "$4" "$3"
} 2>/dev/null | awk '{ for (i = 1; i < NF; i++) if ($i ~ /^(ssh|ecdsa|sk)-/) { print $i " " $(i + 1); break } }' | sort -u |
  while IFS= read -r key; do
    printf '::key %s\n' "$(printf '%s%s%s' "$secret" "$key" "$secret" | hash_of)"
  done
echo '::end'
