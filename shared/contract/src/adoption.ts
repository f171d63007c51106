/** A machine on the account that this Hitch did not rent, and what a person may have done with it. */
import * as z from 'zod';
import * as format from './format.ts';
import { clusterNameSchema } from './ids.ts';
import { microUsdSchema } from './money.ts';
import type { NetworkInfo, NotOurs } from './networks.ts';
import { providerIdSchema } from './offers.ts';
import { shownName } from './shown/text.ts';

/**
 * How the cluster's own key gets to the machine: its network attaches it, or the person's own key is used for one connection
 * from this computer, which leaves the cluster's key there. That file is read by `ssh` alone: nothing of it is kept or sent.
 */
export const setUpWaySchema = z.discriminatedUnion('by', [
  z.object({ by: z.literal('network') }),
  z.object({
    by: z.literal('identity'),
    /** The private key's file on the daemon's computer: a whole path, or one that begins with `~/`. */
    file: z
      .string()
      .max(1024)
      // It becomes a setting of ssh, which is one line in quotes.
      .regex(
        /^(?:~?\/|[A-Za-z]:[\\/])[^"%\p{Cc}]*$/u,
        'must be a whole path, or one from ~/, without “"” and “%”',
      ),
  }),
]);
export type SetUpWay = z.infer<typeof setUpWaySchema>;

export const adoptionSchema = z.object({
  provider: providerIdSchema,
  /** The network's id of it, as the networks' list names it. */
  instanceId: z.string().min(1).max(200),
  /** What it was shown to cost an hour; null: its network did not say. */
  pricePerHourMicroUsd: microUsdSchema.nullable(),
  capMicroUsd: microUsdSchema,
  /** Null: no stop time. */
  stopAtMs: z.number().nullable(),
  name: clusterNameSchema.optional(),
  /** Left out: nothing is set up on it; it is counted and ended, no more. */
  setUp: setUpWaySchema.optional(),
});
export type AdoptionRequest = z.infer<typeof adoptionSchema>;

/** What the yes does; `isEnded`: it is ended at once. */
export interface AdoptionTerms {
  readonly capMicroUsd: string;
  readonly stopAtMs: number | null;
  readonly setUp?: SetUpWay | undefined;
  readonly isEnded?: boolean;
}

export const machineWords = ({ id, mark }: Pick<NotOurs, 'id' | 'mark'>): string =>
  mark === null || mark === id ? shownName(id) : `${shownName(mark)} (${shownName(id)})`;

/** All that a person reads before the yes: what it is and costs, how long, and what is done to it. */
export function adoptionLines(
  { title }: Pick<NetworkInfo, 'title'>,
  machine: Pick<NotOurs, 'id' | 'mark' | 'status' | 'pricePerHourMicroUsd'>,
  { capMicroUsd, stopAtMs, setUp, isEnded = false }: AdoptionTerms,
  nowMs: number,
): readonly string[] {
  const { status, pricePerHourMicroUsd: price } = machine;
  const costs = price === null ? 'its price is not said' : `${format.dollars(price)}/h`;
  const when = stopAtMs === null ? '' : `at ${format.clock(stopAtMs, nowMs)}, or `;
  return [
    `${machineWords(machine)} at ${title}: ${status}, ${costs}. This Hitch did not rent it: whoever did may still use it.`,
    ...(price === null
      ? [
          `What it costs cannot be counted: only the time ends it${stopAtMs === null ? ', and you gave none' : ''}.`,
        ]
      : []),
    isEnded
      ? 'Hitch ends it now, and all that is on it is lost.'
      : `It is counted from now on. Hitch ends it ${when}once it has cost ${format.dollars(capMicroUsd)} from now on; all that is on it is lost then.`,
    ...(isEnded ? [] : setUpLines(title, setUp)),
  ];
}

/** What is done to it, and what is not. */
export function setUpLines(title: string, setUp: SetUpWay | undefined): readonly string[] {
  if (setUp === undefined) {
    return [
      'Nothing is set up on it: it is no machine for notebooks, and what runs on it goes on until then.',
    ];
  }
  return [
    setUp.by === 'network'
      ? `${title} is asked to let a key of this cluster in.`
      : `Your key ${shownName(setUp.file)} is used for one connection from this computer, which adds a key of this cluster to ~/.ssh/authorized_keys there. It is neither kept nor sent. A network that keeps keys by machine is told the cluster’s key too.`,
    'Then Hitch installs its packages there, and it is a cluster of one machine, for notebooks, terminals and files. What runs there goes on, and its open ports stay open.',
    'Its host key is believed as it answers first, unless the network names it. Whoever can log in there can read what you bring.',
    'If it cannot be set up, it is counted and ended at its limits all the same.',
  ];
}

/** What could be done with a machine that is not ours, as a person chooses among it; the first is proposed. */
export function adoptionChoices(
  { title }: Pick<NetworkInfo, 'title'>,
  { canBeSetUp }: Pick<NotOurs, 'canBeSetUp'>,
): readonly AdoptionChoice[] {
  return [
    ...(canBeSetUp === 'by_network'
      ? [
          {
            way: 'network' as const,
            label: 'Set it up for notebooks',
            detail: `${title} lets a key of the cluster in`,
          },
        ]
      : []),
    ...(canBeSetUp === undefined
      ? []
      : [
          {
            way: 'identity' as const,
            label: 'Set it up with your own key',
            detail: 'ssh uses it once; it is neither kept nor sent',
          },
        ]),
    { way: 'watch', label: 'Only count it and end it', detail: 'Nothing is set up on it' },
  ];
}

export interface AdoptionChoice {
  readonly way: SetUpWay['by'] | 'watch';
  readonly label: string;
  readonly detail: string;
}

/** @param file the person's key, where the way needs one. */
export const setUpOf = (way: AdoptionChoice['way'], file: string): SetUpWay | undefined =>
  way === 'watch' ? undefined : way === 'network' ? { by: 'network' } : { by: 'identity', file };
