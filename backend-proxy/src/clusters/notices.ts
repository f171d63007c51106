/** What is wrong with this computer or its records that a person has to know: said by `ls`, and in full by `doctor`. */
import type { DoctorCheck } from '@hitch/contract';
import type { SetAside, Snapshot } from '../ledger/store.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { lacksLogin, type Provider } from '../providers/provider.ts';
import type { LostStore } from '../store/damage.ts';
import type { Parts, Stranger } from './parts.ts';
import { doubtWords, jumpWords } from './second-source.ts';
import { noteStrangers } from './sweep.ts';

export interface Found {
  /** Null: the store is the one that was here before. */
  readonly lost: LostStore | null;
  /** Names of the clusters that only the purchase log knew. */
  readonly found: readonly string[];
  /** What was set aside when the store was read. */
  readonly snapshot: Pick<Snapshot, 'setAside' | 'setAsideBefore'>;
}

/** Rows that one notice names; it counts the rest. */
const NAMED_ROWS = 5;

type Around = Pick<
  Parts,
  'ledger' | 'purchaseLog' | 'strangers' | 'time' | 'providers' | 'calls' | 'lists' | 'home' | 'logins'
>;

export function noticesOf(parts: Around, found: Found): readonly string[] {
  return [
    ...storeNotices(parts),
    ...lostNotices(parts, found),
    ...setAsideNotices(parts, found),
    ...mendedNotices(parts),
    ...clockNotices(parts),
    ...loginNotices(parts),
  ];
}

export async function checksOf(parts: Around, found: Found): Promise<readonly DoctorCheck[]> {
  const refused = storeNotices(parts);
  const lost = [
    ...lostNotices(parts, found),
    ...setAsideNotices(parts, found),
    ...setAsideBefore(parts, found),
    ...mendedNotices(parts),
  ];
  const store: DoctorCheck = {
    name: 'store',
    ...(refused.length > 0
      ? problem(refused.join(' '), 'Free some space on its disk, or make its folder writable again.')
      : lost.length > 0
        ? warning(lost.join(' '), 'Look at hitch ls, and check your networks’ own consoles.')
        : ok(`Every record is written to ${parts.home.store}.`)),
  };
  return [store, clockCheck(parts), await networksCheck(parts)];
}

function storeNotices({ ledger }: Around): string[] {
  const { refuses } = ledger.keeper;
  return refuses === null
    ? []
    : [
        `Nothing can be written since ${timeWords(refuses.sinceMs)}: ${refuses.why} Clusters can be stopped; nothing new is rented. What happens is kept in memory until it can be written.`,
      ];
}

function lostNotices({ purchaseLog, strangers, providers, home }: Around, { lost, found }: Found): string[] {
  const notices: string[] = [];
  if (lost !== null) {
    const kept = lost.keptAs === null ? '' : ` It is kept as ${lost.keptAs}.`;
    const again =
      found.length === 0
        ? `No purchase was open in ${home.purchases}.`
        : `${found.join(', ')} ${found.length === 1 ? 'was' : 'were'} found again in ${home.purchases}.`;
    notices.push(`The store ${lost.why}.${kept} ${again}`);
    for (const [id, all] of strangers) {
      notices.push(...strangerWords(providers.get(id)?.title ?? id, all));
    }
  } else if (found.length > 0) {
    notices.push(`${found.join(', ')}: only ${home.purchases} knew of it, the store did not.`);
  }
  if (purchaseLog !== null && purchaseLog.unreadable > 0) {
    notices.push(
      `${purchaseLog.unreadable.toString()} ${purchaseLog.unreadable === 1 ? 'line' : 'lines'} of ${home.purchases} cannot be read: a machine that only they name is not known here.`,
    );
  }
  return notices;
}

/** Rows that this start found; the next one finds the others whole. */
function setAsideNotices({ home, ledger }: Around, { snapshot: { setAside } }: Found): string[] {
  if (setAside.length === 0) {
    return [];
  }
  const rows = setAside.length === 1 ? '1 row' : `${setAside.length.toString()} rows`;
  const named = setAside.slice(0, NAMED_ROWS).map(({ table, key, why }) => `${table} ${key}: ${why}`);
  const rest = setAside.length - named.length;
  const more = rest === 0 ? '' : ` And ${rest.toString()} more.`;
  const notices = [
    `${rows} of ${home.store} could not be read: moved into its table set_aside, nothing was deleted. ${named.join(' ')}${more}`,
  ];
  const unknown = setAside.filter(isUnknown(ledger)).map(({ ref }) => ref ?? '');
  if (unknown.length > 0) {
    notices.push(
      `Of these ${unknown.join(', ')} may still bill, and ${home.purchases} does not know it: end it in the network’s own console.`,
    );
  }
  return notices;
}

const isUnknown =
  (ledger: Parts['ledger']) =>
  ({ ref }: SetAside): boolean =>
    ref !== null && ledger.attemptByRef(ref) === undefined;

function setAsideBefore({ home }: Around, { snapshot: { setAsideBefore: count } }: Found): string[] {
  return count === 0
    ? []
    : [
        `${count.toString()} earlier ${count === 1 ? 'row' : 'rows'} of ${home.store} lie in its table set_aside.`,
      ];
}

function mendedNotices({ ledger, home }: Around): string[] {
  return ledger.keeper.mended.map(({ atMs, why, isSound, keptAs }) => {
    const kept = keptAs === null ? '' : ` What stood there is kept as ${keptAs}.`;
    const what = isSound ? 'all records were written to it once more' : 'it was written anew from memory';
    return `${home.store} ${why} (noticed ${timeWords(atMs)}): ${what}.${kept}`;
  });
}

export function clockNotices({ time }: Pick<Around, 'time'>): string[] {
  if (time === null) {
    return [];
  }
  const { jump } = time;
  return [...(jump === null ? [] : [jumpWords(jump)]), ...(time.isSure ? [] : [doubtWords(jump)])];
}

/** Networks where something is rented and that do not accept the login any more. */
function loginNotices({ providers, calls, logins, ledger }: Around): string[] {
  const open = new Set(
    [...ledger.states()].flatMap(({ attempts }) =>
      attempts.flatMap(({ state, provider }) => (state === 'gone' || state === 'refused' ? [] : [provider])),
    ),
  );
  return [...providers.values()].flatMap(provider => {
    const { id, title, login } = provider;
    const problem =
      login === null ? null : logins.has(id) ? calls.loginProblem(provider) : 'you are logged out.';
    return problem === null || !open.has(id)
      ? []
      : [
          `${title} cannot be used, and something is rented there: ${problem} It may cost on; ending it is tried again and again. Log in: hitch networks login ${id}`,
        ];
  });
}

function clockCheck(parts: Around): DoctorCheck {
  const wrong = clockNotices(parts);
  return {
    name: 'clock',
    ...(wrong.length === 0
      ? ok('This computer’s clock has not jumped.')
      : warning(wrong.join(' '), 'See that the clock is right; a time server keeps it so.')),
  };
}

/** Asks every network that can be asked for what it lists. */
async function networksCheck(parts: Around): Promise<DoctorCheck> {
  const silent: string[] = [];
  await Promise.all(
    [...parts.providers.values()].map(async provider => {
      const why = await askForStrangers(parts, provider);
      if (why !== null) {
        silent.push(`${provider.title} could not be asked what runs there: ${why}`);
      }
    }),
  );
  const unknown = [...parts.strangers].flatMap(([id, all]) =>
    strangerWords(parts.providers.get(id)?.title ?? id, all),
  );
  const said = [...unknown, ...silent];
  return {
    name: 'rented',
    ...(said.length === 0
      ? ok('Every machine that the networks list as Hitch’s is in the records here.')
      : warning(
          said.join(' '),
          unknown.length === 0
            ? 'Ask again once they answer.'
            : 'Another computer of yours may have rented them; if none did, end them in the network’s own console.',
        )),
  };
}

async function askForStrangers(parts: Around, provider: Provider): Promise<string | null> {
  if (provider.capabilities.refVia === 'none' || lacksLogin(provider, parts.logins, 'rent')) {
    return null;
  }
  try {
    noteStrangers(parts, provider, await parts.lists.ask(provider));
    return provider.listLeftOut?.() ?? null;
  } catch (error) {
    return errorText(error);
  }
}

/** Of those with a mark as Hitch gives them: the others are other people's or other programs', and no trouble of ours. */
function strangerWords(title: string, strangers: readonly Stranger[]): string[] {
  const marks = strangers.flatMap(({ mark }) => (mark?.startsWith('hitch-') === true ? [mark] : []));
  if (marks.length === 0) {
    return [];
  }
  const count = marks.length === 1 ? '1 machine' : `${marks.length.toString()} machines`;
  return [`${title} lists ${count} that no record here knows: ${marks.join(', ')}.`];
}

const timeWords = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const ok = (message: string) => ({ status: 'ok', message, next: null }) as const;
const warning = (message: string, next: string) => ({ status: 'warning', message, next }) as const;
const problem = (message: string, next: string) => ({ status: 'problem', message, next }) as const;
