/** The last step: what ends it, each line of which can be changed. */
import * as format from '@hitch/contract/src/format.ts';
import { showDollars, typedDollars } from '@hitch/contract/src/money.ts';
import type { Offer } from '@hitch/contract';
import { termWords } from '@hitch/contract/src/offer-words.ts';
import {
  type Limits,
  limitWords,
  nextOthers,
  othersWords,
  paidWords,
  readDollars,
  readDuration,
  readHours,
  readPaths,
} from '../rent/draft.ts';
import { type ChosenPackages, packagesWords } from '../rent/packages.ts';
import { secretWords } from '../rent/secrets.ts';
import { type Answer, ask, type Choice, pick, type Step } from './wizard.ts';

type Edit = 'go' | 'cap' | 'stop' | 'idle' | 'hours' | 'save' | 'networks' | 'secrets' | 'packages';

/** The secrets that a new cluster gets. */
export interface SecretsLine {
  given: readonly string[];
  /** Asks for others; the same where it was given up. */
  readonly choose: (step: Step, given: readonly string[]) => Promise<readonly string[]>;
}

/** The packages that it gets, and another choice of them. */
export interface PackagesChoice {
  given: ChosenPackages | null;
  readonly choose: (step: Step, given: ChosenPackages | null) => Promise<ChosenPackages | null>;
}

const problemOf = (read: object): string | null =>
  'problem' in read && typeof read.problem === 'string' ? read.problem : null;

/** What comes into question, and for how many machines: decides whether hours can be paid ahead. */
export interface SoldLine {
  readonly offers: readonly Offer[];
  readonly nodes: number;
}

const NOTHING_SOLD: SoldLine = { offers: [], nodes: 1 };

/** Nothing where no time is sold ahead. */
function hoursLine(limits: Limits, { offers, nodes }: SoldLine): readonly Choice<Edit>[] {
  const price = paidWords({ limits, nodes }, offers, Date.now());
  const { paidMs = null } = limits;
  return price === null
    ? []
    : [
        {
          icon: 'calendar',
          label:
            paidMs === null ? 'Hours paid ahead: until it stops' : `Hours paid ahead: ${termWords(paidMs)}`,
          detail: price,
          value: 'hours',
        },
      ];
}

const limitLines = (
  limits: Limits,
  { secrets, packages }: OfNew,
  sold: SoldLine,
): readonly Choice<Edit>[] => [
  { icon: 'arrow-right', label: 'Review and rent…', description: limitWords(limits), value: 'go' },
  {
    icon: 'credit-card',
    label: `At most ${showDollars(limits.capMicroUsd)}`,
    detail: 'Spending limit; includes saving at the end',
    value: 'cap',
  },
  {
    icon: 'clock',
    label: limits.stopAfterMs === 0 ? 'No time limit' : `After ${format.duration(limits.stopAfterMs)}`,
    detail: 'Time limit',
    value: 'stop',
  },
  {
    icon: 'coffee',
    label: limits.idleMs === 0 ? 'No idle limit' : `After ${format.duration(limits.idleMs)} idle`,
    detail: 'Idle limit: no work of any kind for that long; the price says what counts as work',
    value: 'idle',
  },
  ...hoursLine(limits, sold),
  ...(secrets === null || sold.nodes > 1
    ? []
    : [
        {
          icon: 'globe',
          label: othersWords(limits),
          detail: 'Up to four like it are tried, up to the maximum price that you approve. Enter changes it',
          value: 'networks' as const,
        },
      ]),
  ...(packages === null
    ? []
    : [
        {
          icon: 'package',
          label: packagesWords(packages.given),
          detail: 'What its notebooks and jobs can import; of a file each package is pinned first',
          value: 'packages' as const,
        },
      ]),
  ...(secrets === null
    ? []
    : [
        {
          icon: 'save',
          label: limits.save.length === 0 ? 'Save nothing' : `Save ${limits.save.join(', ')}`,
          detail: 'Paths in ~/work to copy back before it ends. Everything else of the cluster is deleted',
          value: 'save' as const,
        },
        {
          icon: 'key',
          label: secretWords(secrets.given),
          detail: 'Tokens, such as HF_TOKEN, that its notebooks and jobs can read',
          value: 'secrets' as const,
        },
      ]),
];

/** What a new cluster alone is asked for; null: it is the order's, and cannot be changed. */
export interface OfNew {
  readonly secrets: SecretsLine | null;
  readonly packages: PackagesChoice | null;
}

const NOT_NEW: OfNew = { secrets: null, packages: null };

/** @param ofNew left out: neither secrets nor what is saved nor packages can be changed; they are the order's. */
export async function changeLimits(
  step: Step,
  first: Limits,
  ofNew: OfNew = NOT_NEW,
  sold: SoldLine = NOTHING_SOLD,
): Promise<Answer<Limits>> {
  const { secrets, packages } = ofNew;
  let limits = first;
  for (;;) {
    const chosen = await pick<Edit>({
      ...step,
      placeholder: 'When should it stop? The first limit that is reached stops it (Enter: review the price)',
      items: limitLines(limits, ofNew, sold),
    });
    if (chosen.kind !== 'value') {
      return chosen;
    }
    if (chosen.value === 'go') {
      return { kind: 'value', value: limits };
    }
    if (chosen.value === 'secrets') {
      if (secrets !== null) {
        secrets.given = await secrets.choose(inside(step), secrets.given);
      }
      continue;
    }
    if (chosen.value === 'packages') {
      if (packages !== null) {
        packages.given = await packages.choose(inside(step), packages.given);
      }
      continue;
    }
    if (chosen.value === 'networks') {
      limits = nextOthers(limits);
      continue;
    }
    limits = (await change(step, limits, chosen.value, sold)) ?? limits;
  }
}

/** A step inside of one has a way back, also out of the first. */
const inside = (step: Step): Step => ({ ...step, step: Math.max(2, step.step) });

/** Null when it was given up or back was pressed: the list is shown again. */
async function change(
  step: Step,
  limits: Limits,
  what: Exclude<Edit, 'go' | 'networks' | 'secrets' | 'packages'>,
  { offers }: SoldLine,
): Promise<Limits | null> {
  const input = inside(step);
  switch (what) {
    case 'cap': {
      const text = await ask({
        ...input,
        prompt: 'Spending limit in dollars',
        value: typedDollars(limits.capMicroUsd),
        check: value => problemOf(readDollars(value)),
      });
      const read = text.kind === 'value' ? readDollars(text.value) : null;
      return read !== null && 'amount' in read ? { ...limits, capMicroUsd: read.amount } : null;
    }
    case 'stop':
    case 'idle': {
      const known = what === 'stop' ? limits.stopAfterMs : limits.idleMs;
      const text = await ask({
        ...input,
        prompt:
          what === 'stop'
            ? 'Stop after, such as 30 min, 2 h or 1 d; or “never”'
            : 'Stop when idle for, such as 30 min or 2 h; or “never”',
        value: known === 0 ? 'never' : format.duration(known),
        check: value => problemOf(readDuration(value)),
      });
      const read = text.kind === 'value' ? readDuration(text.value) : null;
      if (read === null || !('ms' in read)) {
        return null;
      }
      return what === 'stop' ? { ...limits, stopAfterMs: read.ms } : { ...limits, idleMs: read.ms };
    }
    case 'hours': {
      const { paidMs = null } = limits;
      const text = await ask({
        ...input,
        prompt: 'Hours to pay ahead (empty: until it stops, as far as the spending limit goes)',
        value: paidMs === null ? '' : (paidMs / 3_600_000).toString(),
        check: value => problemOf(readHours(value, { offers, limits })),
      });
      const read = text.kind === 'value' ? readHours(text.value, { offers, limits }) : null;
      return read !== null && 'paidMs' in read ? { ...limits, paidMs: read.paidMs } : null;
    }
    case 'save': {
      const text = await ask({
        ...input,
        prompt: 'Files and folders in ~/work to copy back, separated by commas (empty for none)',
        placeholder: 'results, model.pt',
        value: limits.save.join(', '),
        check: value => problemOf(readPaths(value)),
      });
      const read = text.kind === 'value' ? readPaths(text.value) : null;
      return read !== null && 'paths' in read ? { ...limits, save: read.paths } : null;
    }
  }
}
