/**
 * How fast a rented machine's network is: what its package index sends it, which as a rule is the beginning of the Node that it
 * gets anyway, and what it sends to this computer. At most 24 MB come in, in 8 seconds, and 4.2 MB go out, in 3, and nobody
 * else's server is used for it. Where traffic costs, nothing is moved for this alone.
 */
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import type { NetworkSpeed } from '../../access/host.ts';
import { type FarShell, shellWord } from '../../access/tunnel/far-shell.ts';
import { indexOf } from './bootstrap.ts';
import { overSsh, runWith } from './far-programs.ts';
import type { FarPrograms } from './place.ts';
import { SPEED_IN, SPEED_KEEP, SPEED_OUT } from './program-texts.ts';

export interface SpeedOptions {
  readonly shell: FarShell;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Hitch's folder there. */
  readonly root: string;
  readonly programs: FarPrograms;
  /** This computer's environment, for the package index that its user has set. */
  readonly environment: NodeJS.ProcessEnv;
  readonly isPriced: boolean;
  /** What was measured before: of two the better counts. */
  readonly before: NetworkSpeed | null;
}

const mbpsSchema = z.number().min(0).max(10_000_000).nullable();
const timesSchema = z.number().int().min(0).max(1_000);
const whySchema = z.enum(['', 'priced', 'python', 'disk', 'index', 'cut']);
const keptSchema = z.object({
  downMbps: mbpsSchema,
  isOwnIndex: z.boolean().default(false),
  upMbps: mbpsSchema,
  whyNoDown: whySchema,
  whyNoUp: whySchema,
  // What an earlier version kept was measured to its end at least once.
  begun: timesSchema.default(1),
  ended: timesSchema.default(1),
});

const WHY: Readonly<Record<z.infer<typeof whySchema>, string>> = {
  '': '',
  priced: 'its traffic costs',
  python: 'it has no Python to fetch with',
  disk: 'its disk takes nothing',
  index: 'its package index sends nothing',
  cut: 'the connection was cut',
};

/** @param text what `far/prepare.sh` says; null where that is nothing of ours */
export function parseNetwork(text: string): NetworkSpeed | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  return keptSchema.safeParse(data).data ?? null;
}

/** `network 480 Mbps in, 35 Mbps out to this computer` */
export function networkWords({ downMbps, upMbps, whyNoDown, whyNoUp }: NetworkSpeed): string {
  if (downMbps === null && upMbps === null && whyNoDown === whyNoUp) {
    return `network not measured (${WHY[whyNoDown]})`;
  }
  const comes = downMbps === null ? `in not measured (${WHY[whyNoDown]})` : `${mbps(downMbps)} in`;
  const goes =
    upMbps === null ? `out not measured (${WHY[whyNoUp]})` : `${mbps(upMbps)} out to this computer`;
  return `network ${comes}, ${goes}`;
}

const mbps = (value: number): string =>
  `${value < 10 ? value.toFixed(1) : Math.round(value).toString()} Mbps`;

/**
 * Both ways at once, which do not stand in each other's way. What came of it is kept there, and first of all that it was begun: one
 * that is cut is not begun again and again. @throws HostError
 */
export async function measureNetwork(options: SpeedOptions, signal: AbortSignal): Promise<NetworkSpeed> {
  const { shell, root, before, isPriced } = options;
  const begun = { ...(before ?? CUT), begun: (before?.begun ?? 0) + 1 };
  const [down, up] = await Promise.all([
    comesIn(options, begun, signal),
    isPriced ? ({ mbps: null, why: 'priced' } as const) : goesOut(options, signal),
  ]);
  const downMbps = better(down.mbps, before?.downMbps);
  const upMbps = better(up.mbps, before?.upMbps);
  const speed: NetworkSpeed = {
    downMbps,
    isOwnIndex: down.isOwnIndex || before?.isOwnIndex === true,
    upMbps,
    whyNoDown: downMbps === null ? down.why : '',
    whyNoUp: upMbps === null ? up.why : '',
    begun: begun.begun,
    ended: begun.ended + (down.mbps === null ? 0 : 1),
  };
  await runWith(shell, SPEED_KEEP, { ROOT: root, WAY: 'keep', KEPT: JSON.stringify(speed) }, signal);
  return speed;
}

const CUT: NetworkSpeed = {
  downMbps: null,
  isOwnIndex: false,
  upMbps: null,
  whyNoDown: 'cut',
  whyNoUp: 'cut',
  begun: 0,
  ended: 0,
};

const better = (one: number | null, other: number | null = null): number | null =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

interface Way {
  readonly mbps: number | null;
  readonly why: NetworkSpeed['whyNoDown'];
}

async function comesIn(
  { shell, root, programs: { node }, environment, isPriced }: SpeedOptions,
  begun: NetworkSpeed,
  signal: AbortSignal,
): Promise<Way & Pick<NetworkSpeed, 'isOwnIndex'>> {
  const values = {
    ROOT: root,
    WAY: 'in',
    KEPT: JSON.stringify(begun),
    PRICED: isPriced ? 'yes' : '',
    INDEX: indexOf(environment),
    NODE_NAME: node.name,
    NODE_WHEEL: node.file,
    NODE_SHA: node.sha256,
    NODE_BYTES: node.bytes.toString(),
  };
  const { lines } = await runWith(shell, SPEED_IN, values, signal);
  const said = lines.at(-1) ?? '';
  const isOwnIndex = lines.includes('::own index');
  const [, bytes, ms] = /^::in (\d{1,12}) (\d{1,9})$/.exec(said) ?? [];
  if (bytes !== undefined && ms !== undefined) {
    return { mbps: rate(Number(bytes), Number(ms)), why: '', isOwnIndex };
  }
  const why = whySchema.safeParse(said.replace(/^::not /, '')).data;
  return { mbps: null, why: why === undefined || why === '' ? 'index' : why, isOwnIndex };
}

/** More than `send_out` of `far/speed.sh` sends: a machine that goes on is not listened to. */
const MOST_SENT = 5 * 1024 * 1024;

/** By this computer's clock, from the first byte that is here. */
async function goesOut({ shell, root, clock }: SpeedOptions, signal: AbortSignal): Promise<Way> {
  const program = `ROOT=${shellWord(root)}\nWAY=out\n${SPEED_OUT}`;
  let [bytes, beganMs, lastMs] = [0, 0, 0];
  const enough = new AbortController();
  const listening = overSsh(() =>
    shell.follow(
      program,
      piece => {
        if (enough.signal.aborted) {
          return;
        }
        lastMs = clock.monotonic();
        if (beganMs === 0) {
          beganMs = lastMs;
        } else {
          bytes += piece.length;
        }
        if (bytes > MOST_SENT) {
          enough.abort(new Error('The machine sends more than it was asked for.'));
        }
      },
      AbortSignal.any([signal, enough.signal]),
    ),
  );
  await listening.catch((error: unknown) => {
    if (signal.aborted || !enough.signal.aborted) {
      throw error;
    }
  });
  return bytes === 0 ? { mbps: null, why: 'cut' } : { mbps: rate(bytes, lastMs - beganMs), why: '' };
}

/** Megabits (10⁶) a second, to a tenth. */
const rate = (bytes: number, ms: number): number => Math.round((bytes * 8) / Math.max(1, ms) / 100) / 10;
