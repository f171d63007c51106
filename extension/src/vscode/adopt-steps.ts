/** A machine on the account that is not ours: how it is to be taken over and until when, all in one question, and the yes. */
import type { NetworkInfo, NotOurs } from '@hitch/contract';
import {
  type AdoptionChoice,
  adoptionChoices,
  adoptionLines,
  machineWords,
  setUpOf,
} from '@hitch/contract/src/adoption.ts';
import * as format from '@hitch/contract/src/format.ts';
import { DEFAULT_LIMITS } from '@hitch/contract/src/limits.ts';
import { formatMicroUsd, typedDollars } from '@hitch/contract/src/money.ts';
import type { HitchModel } from '../daemon/model.ts';
import { foreignOfRow } from '../networks/rows.ts';
import { readDollars, readDuration } from '../rent/read.ts';
import { ask as askYes, inform } from './messages.ts';
import { pickOne, withProgress } from './screen.ts';
import { ask, pick, type Step } from './wizard.ts';

export interface AdoptDeps {
  readonly model: HitchModel;
  /** Something was changed. */
  readonly refresh: () => Promise<void>;
}

interface Foreign {
  readonly network: NetworkInfo;
  readonly machine: NotOurs;
}

export async function adoptMachine(
  { model, refresh }: AdoptDeps,
  rowId: unknown,
  networks: readonly NetworkInfo[],
): Promise<void> {
  const foreign = foreignOfRow(rowId, networks) ?? (await askWhich(networks));
  const wanted = foreign === null ? null : await askHow(foreign);
  if (foreign === null || wanted === null) {
    return;
  }
  const { network, machine } = foreign;
  const name = machineWords(machine);
  const nowMs = Date.now();
  const stopAtMs = wanted.stopAfterMs === 0 ? null : nowMs + wanted.stopAfterMs;
  const terms = { capMicroUsd: formatMicroUsd(wanted.capMicroUsd), stopAtMs, setUp: wanted.setUp };
  const yes = wanted.setUp === undefined ? 'Count It and End It' : 'Adopt and Set Up';
  const lines = adoptionLines(network, machine, terms, nowMs).join('\n');
  // The first button has the focus: Enter out of habit takes nothing over.
  if ((await askYes(`Adopt ${name}?`, lines, 'Leave It Alone', yes)) !== yes) {
    return;
  }
  try {
    const cluster = await withProgress('notification', `Hitch: adopting ${name}`, () =>
      model.client.api.clusters.adopt({
        provider: network.id,
        instanceId: machine.id,
        pricePerHourMicroUsd: machine.pricePerHourMicroUsd,
        capMicroUsd: terms.capMicroUsd,
        stopAtMs,
        ...(wanted.setUp === undefined ? {} : { setUp: wanted.setUp }),
      }),
    );
    void inform(
      wanted.setUp === undefined
        ? `${name} is ${cluster.name} now. It is ended at its limits.`
        : `${name} is ${cluster.name} now, and is being set up.`,
    );
  } finally {
    await refresh();
  }
}

async function askWhich(networks: readonly NetworkInfo[]): Promise<Foreign | null> {
  const all = networks.flatMap(network => network.notOurs.map(machine => ({ network, machine })));
  if (all.length === 0) {
    void inform('Your accounts show no machine that Hitch did not rent.');
    return null;
  }
  const items = all.map(({ network, machine }) => ({
    icon: 'question',
    label: machineWords(machine),
    description: `${network.title}, ${machine.status}`,
    network,
    machine,
  }));
  const placeholder = 'Which machine? None of these was rented by Hitch';
  return (await pickOne(items, { title: 'Adopt a machine', placeholder })) ?? null;
}

interface Wanted {
  readonly setUp: ReturnType<typeof setUpOf>;
  readonly capMicroUsd: bigint;
  /** 0: no stop time. */
  readonly stopAfterMs: number;
}

/** Null: given up. */
async function askHow({ network, machine }: Foreign): Promise<Wanted | null> {
  const step = (number: number): Step => ({
    title: `Adopt ${machineWords(machine)}`,
    step: number,
    totalSteps: 3,
  });
  const chosen = await pick<AdoptionChoice['way']>({
    ...step(1),
    placeholder: 'What is it to be? The price and all that is done are shown before you say yes',
    items: adoptionChoices(network, machine).map(({ way, label, detail }) => ({
      icon: way === 'watch' ? 'eye' : 'server-process',
      label,
      detail,
      value: way,
    })),
  });
  if (chosen.kind !== 'value') {
    return null;
  }
  const file = chosen.value === 'identity' ? await askKey(step(1)) : '';
  const cap = file === null ? null : await askCap(step(2));
  const time = cap === null ? null : await askTime(step(3));
  return file === null || cap === null || time === null
    ? null
    : { setUp: setUpOf(chosen.value, file), capMicroUsd: cap, stopAfterMs: time };
}

async function askKey(step: Step): Promise<string | null> {
  const answer = await ask({
    ...step,
    prompt: 'Your private key that opens it: used for one connection, neither kept nor sent',
    value: '~/.ssh/id_ed25519',
    check: text => (/^(?:~?\/|[A-Za-z]:[\\/])/.test(text) ? null : 'Enter a whole path, or one from ~/.'),
  });
  return answer.kind === 'value' ? answer.value : null;
}

async function askCap(step: Step): Promise<bigint | null> {
  const answer = await ask({
    ...step,
    prompt: 'The most that it may cost from now on, in dollars; it is ended then',
    value: typedDollars(DEFAULT_LIMITS.capMicroUsd),
    check: text => problemOf(readDollars(text)),
  });
  const read = answer.kind === 'value' ? readDollars(answer.value) : null;
  return read !== null && 'amount' in read ? read.amount : null;
}

async function askTime(step: Step): Promise<number | null> {
  const answer = await ask({
    ...step,
    prompt: 'Ended after, such as 30 min, 2 h or 1 d; or “never”',
    value: format.duration(DEFAULT_LIMITS.stopAfterMs),
    check: text => problemOf(readDuration(text)),
  });
  const read = answer.kind === 'value' ? readDuration(answer.value) : null;
  return read !== null && 'ms' in read ? read.ms : null;
}

const problemOf = (read: object): string | null =>
  'problem' in read && typeof read.problem === 'string' ? read.problem : null;
