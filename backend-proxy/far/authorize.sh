# Lets a key in to this account, beside those that it lets in already. Asked again it changes nothing.
read_values
keys=$HOME/.ssh/authorized_keys
if grep -qxF "$KEY" "$keys" 2>/dev/null; then
  echo '::ok'
  exit 0
fi
[ -d "$HOME/.ssh" ] || mkdir -p "$HOME/.ssh" || exit 1
# A last line without an end would swallow the next.
if [ -s "$keys" ] && [ -n "$(tail -c 1 "$keys")" ]; then
  echo >>"$keys" || exit 1
fi
printf '%s\n' "$KEY" >>"$keys" && echo '::ok'
