# Closes the ports of one machine's cluster to all but those that RULES lets in. MUST: nothing of it may run while that fails.
read_values
[ -d "$ROOT/machines/$REF/state" ] || { echo '::gone'; exit 0; }
file=$ROOT/closed/$REF
{
  mkdir -p "$ROOT/closed" && printf '%s\n' "$RULES" >"$file.part" && mv "$file.part" "$file" || exit 1
  rm -f "$file.must"
  [ -z "$MUST" ] || : >"$file.must" || exit 1
}
if close_ports; then
  echo '::closed'
else
  printf '::open %s\n' "$(printf '%s' "$SAID" | head -n 1)"
fi
