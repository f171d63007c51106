/**
 * Who uses a machine: a folder for each use, on the machine itself, so that two computers see each other's. It appears
 * whole, by a rename, and goes last of all.
 */
import { isIPv4 } from 'node:net';
import { shownName } from '@hitch/contract';
import { type FarShell, shellWord } from '../../access/tunnel/far-shell.ts';
import { USES } from '../../machines/far/program-texts.ts';
import { valueLines } from '../../machines/far/values.ts';

/** Below the home folder there. */
export const LEASES = '.hitch/leases';
export const leaseFolder = (ref: string): string => `${LEASES}/${ref}`;

export interface Lease {
  readonly ref: string;
  readonly pricePerHourMicroUsd: string;
  readonly fromMs: number;
  readonly gpuCount: number;
  /** Which: their names as the driver gives them. Empty where it has none, and where nobody said which: then it has all. */
  readonly gpuIds: readonly string[];
  /** Where the other machines of its cluster reach it; null: its cluster stands on this machine alone. */
  readonly privateAddress: string | null;
  /** Whose use it is: `ada@laptop`; without blanks. */
  readonly by: string;
  /** The name under which the machine was reached: it may have others. Empty: not known. */
  readonly at: string;
}

export type Taken = 'taken' | { readonly refused: string };

/** Whether it was taken under this name; one of which that is not known is anybody's who sees it. */
export const isAt = ({ at }: Lease, name: string): boolean => at === '' || at === name;

/** What the machine said cannot be understood, or it could not do what it was asked. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';
}

/** Uses of one machine at once, or as many as it has GPUs: they share its cores and memory. A GPU is for one use at a time. */
const USES_AT_ONCE = 4;
export const usesAtOnce = (gpus: number): number => Math.max(USES_AT_ONCE, gpus);

export interface Wanted extends Omit<Lease, 'gpuIds'> {
  /** The names of those that `gpuCount` of are taken from; empty: all that there are, unnamed. */
  readonly gpusFrom: readonly string[];
  /** Uses of this machine at once. */
  readonly mostUses: number;
}

/** Takes it, unless it is full; the same ref again is the same use. */
export async function takeLease(shell: FarShell, wanted: Wanted, signal: AbortSignal): Promise<Taken> {
  const { pricePerHourMicroUsd, fromMs, gpuCount, by, at, gpusFrom, mostUses, privateAddress } = wanted;
  const values = {
    REF: wanted.ref,
    LINE: [pricePerHourMicroUsd, fromMs, gpuCount, by, at].join(' '),
    GPUS: gpuCount.toString(),
    FROM: gpusFrom.join(' '),
    MOST: mostUses.toString(),
    ADDRESS: privateAddress ?? '',
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${shellWord(value)}\n`);
  const { stdout, stderr } = await shell.run(`${lines.join('')}${TAKE}`, { signal });
  const [, word, value = ''] = /^::(\w+) ?(.*)$/m.exec(stdout) ?? [];
  switch (word) {
    case 'taken':
      return 'taken';
    case 'full':
      return {
        refused: `${shownName(shell.name)} runs ${mostUses} of the ${mostUses} clusters that it takes at once. Stop one to make room.`,
      };
    case 'gpus':
      return {
        refused: `The GPUs of ${shownName(shell.name)} are in use by ${shownName(value)}. Wait, or take it with fewer GPUs or none.`,
      };
    case 'closed':
      return {
        refused: `The home folder on ${shownName(shell.name)} cannot be written to: ${shownName(lastLine(stderr))}. Make room there, or give its user the right to write.`,
      };
    default:
      throw new LeaseError(
        `${shownName(shell.name)} gave no answer that makes sense: ${shownName(lastLine(stderr))}.`,
      );
  }
}

export async function listLeases(shell: FarShell, signal: AbortSignal): Promise<readonly Lease[]> {
  const { stdout, code } = await shell.run(USES, { input: valueLines({ LEASES }), signal });
  if (code === NO_ANSWER) {
    throw new LeaseError(
      `${shownName(shell.name)} answers, but its home folder does not: it may lie on a server that is gone.`,
    );
  }
  const lines = stdout.split('\n').filter(line => line !== '');
  if (code !== 0 || lines.pop() !== '::end') {
    throw new LeaseError(`${shownName(shell.name)} did not say all that runs there.`);
  }
  return lines.map(readLease);
}

/** Null: there is none; then how many processes of it run all the same. */
export async function findLease(
  shell: FarShell,
  ref: string,
  signal: AbortSignal,
): Promise<Lease | { readonly left: number }> {
  const { stdout } = await shell.run(`REF=${shellWord(ref)}\n${FIND}`, { signal });
  const left = /^::left (\d+)$/m.exec(stdout)?.[1];
  if (left !== undefined) {
    return { left: Number(left) };
  }
  const line = stdout.trim();
  if (line === '') {
    throw new LeaseError(`${shownName(shell.name)} did not say whether ${ref} runs there.`);
  }
  return readLease(line);
}

/** What ran is ended before. */
export async function dropLease(shell: FarShell, ref: string, signal: AbortSignal): Promise<void> {
  const { code, stderr } = await shell.run(`REF=${shellWord(ref)}\n${DROP}`, { signal });
  if (code !== 0) {
    throw new LeaseError(
      `The folder of ${ref} on ${shownName(shell.name)} could not be removed: ${shownName(lastLine(stderr))}.`,
    );
  }
}

/** Of a program whose end did not come in time (far/common.sh). */
const NO_ANSWER = 124;

/** A lease whose line was lost still stands; it costs nothing that anybody knows of. */
function readLease(line: string): Lease {
  const [ref = '', price = '', from = '', gpus = '', by = '', at = '', ids = '', address = ''] =
    line.split(' ');
  return {
    ref,
    pricePerHourMicroUsd: /^\d{1,15}$/.test(price) ? price : '0',
    fromMs: Number.isSafeInteger(Number(from)) ? Number(from) : 0,
    gpuCount: /^\d{1,3}$/.test(gpus) ? Number(gpus) : 0,
    by,
    at,
    gpuIds: ids.split(',').filter(id => id !== '-' && GPU_ID.test(id)),
    privateAddress: isIPv4(address) ? address : null,
  };
}

/** `GPU-5f2c…`; part of a GPU (MIG) begins with `MIG-`. */
const GPU_ID = /^[\w./-]{1,100}$/;

const lastLine = (text: string): string =>
  text
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^.*: (?=[^:]+$)/, '')
    .replace(/\.$/, '') || 'it said nothing';

const TAKE = `
cd || exit 1
umask 077
LEASES=${LEASES}
mkdir -p "$LEASES" || { echo '::closed'; exit 0; }
[ -d "$LEASES/$REF" ] && { echo '::taken'; exit 0; }
# Sets TAKEN to the GPUs of other uses, BY to whose the last of these is, COUNT to how many uses there are beside ours.
others() {
  TAKEN=' ' BY='' COUNT=0
  for lease in "$LEASES"/hitch-*; do
    [ -d "$lease" ] || continue
    [ "$lease" = "$LEASES/$REF" ] && continue
    COUNT=$((COUNT + 1))
    price='' from='' gpus='' by='' at='' ids=''
    read -r price from gpus by at ids address <"$lease/lease"
    [ "$ids" != - ] || ids=
    case $gpus in
      '' | 0 | *[!0-9]*) continue ;;
    esac
    BY=$by
    # One that does not say which has all.
    TAKEN="$TAKEN$(printf '%s' "\${ids:-$FROM all}" | tr , ' ') "
  done
}
# Sets CHOSEN to as many as are wanted of those that nobody has. Where they have no names it is all or nothing.
choose() {
  CHOSEN=
  [ "$GPUS" -gt 0 ] || return 0
  [ -n "$FROM" ] || { [ "$TAKEN" = ' ' ]; return; }
  left=$GPUS
  for gpu in $FROM; do
    case $TAKEN in
      *" $gpu "*) continue ;;
    esac
    CHOSEN=$CHOSEN\${CHOSEN:+,}$gpu
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 0
  done
  return 1
}
# Whether another use has one of those that we chose.
overlaps() {
  [ "$GPUS" -gt 0 ] || return 1
  [ -n "$CHOSEN" ] || { [ "$TAKEN" != ' ' ]; return; }
  for gpu in $(printf '%s' "$CHOSEN" | tr , ' '); do
    case $TAKEN in
      *" $gpu "*) return 0 ;;
    esac
  done
  return 1
}
new=$LEASES/.$REF
tries=0
while :; do
  others
  [ "$COUNT" -lt "$MOST" ] || { echo '::full'; exit 0; }
  choose || { printf '::gpus %s\\n' "$BY"; exit 0; }
  { mkdir -p "$new" && printf '%s\\n' "$LINE \${CHOSEN:--} $ADDRESS" >"$new/lease" && [ -s "$new/lease" ]; } || { rm -rf "$new"; echo '::closed'; exit 0; }
  mv "$new" "$LEASES/$REF" || { rm -rf "$new"; echo '::closed'; exit 0; }
  # Of two that come at once each sees the other, and neither stays: better than both. They do not try again together.
  others
  [ "$COUNT" -ge "$MOST" ] || overlaps || { echo '::taken'; exit 0; }
  rm -rf "$LEASES/$REF"
  tries=$((tries + 1))
  [ "$tries" -lt 4 ] || break
  sleep $(($$ % 3))
done
[ "$COUNT" -lt "$MOST" ] || { echo '::full'; exit 0; }
printf '::gpus %s\\n' "$BY"
`;

const FIND = `
cd || exit 1
lease=${LEASES}/$REF
if [ -d "$lease" ]; then
  read -r line <"$lease/lease" || line=
  printf '%s %s\\n' "$REF" "$line"
  exit 0
fi
# What the end of a machine would end, and no more: a process of this user's with the whole tag.
left=0
for environment in $(grep -la "HITCH_NODE=$REF" /proc/[0-9]*/environ 2>/dev/null); do
  grep -q "^Uid:[[:space:]]*$(id -u)[[:space:]]" "\${environment%environ}status" 2>/dev/null || continue
  tr '\\0\\n' '\\n ' 2>/dev/null <"$environment" | grep -qxF "HITCH_NODE=$REF" && left=$((left + 1))
done
printf '::left %s\\n' "$left"
`;

const DROP = `
cd || exit 1
rm -rf "${LEASES}/$REF" "${LEASES}/.$REF" || exit 1
rmdir ${LEASES} 2>/dev/null
rmdir "\${HOME}/.hitch" 2>/dev/null
exit 0
`;
