/** The rows of the Networks view: each network, and below it what is known of it and the machines a person added. */
import type { NetworkInfo, NotOurs, OwnMachine } from '@hitch/contract';
import { machineWords } from '@hitch/contract/src/adoption.ts';
import * as format from '@hitch/contract/src/format.ts';
import {
  isLoggedIn,
  loginActions,
  networkLine,
  networkLines,
  networkTrouble,
  notOursLine,
} from '@hitch/contract/src/network-state.ts';
import type { CommandId } from '../declared/commands.ts';
import type { Row, RowIcon } from '../tree/row.ts';

const NETWORK = 'network:';
const MACHINE = 'machine:';
const FOREIGN = 'foreign:';

function iconOf(network: NetworkInfo): RowIcon {
  if (networkTrouble(network) !== null || network.login?.state === 'refused') {
    return { name: 'warning', color: 'list.warningForeground' };
  }
  if (!isLoggedIn(network)) {
    return { name: 'key' };
  }
  return { name: network.kind === 'practice' ? 'beaker' : network.kind === 'own' ? 'vm' : 'globe' };
}

export function networkRow(network: NetworkInfo, nowMs: number): Row {
  const { id, title } = network;
  const line = networkLine(network);
  const actions = [...loginActions(network), ...(network.machines === null ? [] : ['addMachine'])];
  return {
    id: `${NETWORK}${id}`,
    label: title,
    description: line,
    icon: iconOf(network),
    contextValue: ['network', ...actions].join(';'),
    collapsible: 'collapsed',
    spoken: `Network ${title}: ${line}`,
    tooltip: () => [
      title,
      ...networkLines(network, nowMs),
      ...network.notOurs.map(each => notOursLine(each, nowMs)),
    ],
  };
}

/**
 * What stands below a network's row.
 * @param leftAlone the rows of machines that a person wants to see no more
 */
export function rowsBelowNetwork(
  network: NetworkInfo,
  nowMs: number,
  leftAlone: ReadonlySet<string> = new Set(),
): readonly Row[] {
  const { id, title, machines } = network;
  const lines = networkLines(network, nowMs).map((line, index) => lineRow(`line:${id}:${index}`, line));
  const login = loginActions(network).includes('login') && !isLoggedIn(network);
  const foreign = network.notOurs.map(each => foreignRow(network, each, nowMs));
  const hidden = foreign.filter(row => leftAlone.has(row.id));
  return [
    // What can be done something about stands where it is seen without scrolling.
    ...foreign.filter(row => !leftAlone.has(row.id)),
    ...(hidden.length === 0
      ? []
      : [
          commandRow(
            `leftAlone:${id}`,
            `${hidden.length.toString()} left alone and not ours: show`,
            'eye',
            { id: 'hitch.foreign.show', argument: `${NETWORK}${id}` },
            title,
          ),
        ]),
    ...lines,
    ...(login
      ? [
          commandRow(
            `login:${id}`,
            'Log In…',
            'key',
            { id: 'hitch.networks.login', argument: `${NETWORK}${id}` },
            title,
          ),
        ]
      : []),
    ...(machines ?? []).map(machineRow),
    ...(machines === null
      ? []
      : [
          commandRow(
            `add:${id}`,
            'Add Your Own Machine…',
            'add',
            { id: 'hitch.machines.add', argument: '' },
            title,
          ),
        ]),
  ];
}

const lineRow = (id: string, line: string): Row => ({
  id,
  label: line,
  description: '',
  icon: null,
  contextValue: 'line',
  collapsible: 'none',
  spoken: line,
  tooltip: () => [line],
});

const commandRow = (
  id: string,
  label: string,
  icon: string,
  command: { readonly id: CommandId; readonly argument: string },
  title: string,
): Row => ({
  ...lineRow(id, label),
  icon: { name: icon },
  contextValue: 'command',
  spoken: `${label} ${title}`,
  command,
});

function machineRow({ name, pricePerHourMicroUsd }: OwnMachine): Row {
  const price = `${format.dollars(pricePerHourMicroUsd)}/h`;
  return {
    id: `${MACHINE}${name}`,
    label: name,
    description: price,
    icon: { name: 'server' },
    contextValue: 'machine',
    collapsible: 'none',
    spoken: `Your machine ${name}, ${price}`,
    tooltip: () => [name, price, 'Reached by your own ssh'],
  };
}

/** A machine on the account that this Hitch did not rent. */
function foreignRow({ id: network, title }: NetworkInfo, machine: NotOurs, nowMs: number): Row {
  const { id, status, pricePerHourMicroUsd: price } = machine;
  const name = machineWords(machine);
  const costs = price === null ? 'price not said' : `${format.dollars(price)}/h`;
  const line = `not ours, ${status}, ${costs}`;
  return {
    id: `${FOREIGN}${network}:${id}`,
    label: name,
    description: line,
    icon: { name: 'question' },
    contextValue: 'foreign',
    collapsible: 'none',
    spoken: `${name} at ${title}, ${line}`,
    tooltip: () => [notOursLine(machine, nowMs)],
  };
}

/** Which machine that is not ours a row is of; null: it is another row. */
export function foreignOfRow(
  rowId: unknown,
  networks: readonly NetworkInfo[],
): { readonly network: NetworkInfo; readonly machine: NotOurs } | null {
  for (const network of networks) {
    const machine = network.notOurs.find(({ id }) => rowId === `${FOREIGN}${network.id}:${id}`);
    if (machine !== undefined) {
      return { network, machine };
    }
  }
  return null;
}

export const isForeignRow = (rowId: unknown): rowId is string =>
  typeof rowId === 'string' && rowId.startsWith(FOREIGN);

/** Which network a row is of; null: it is another row. */
export const networkOfRow = (rowId: unknown): string | null =>
  typeof rowId === 'string' && rowId.startsWith(NETWORK) ? rowId.slice(NETWORK.length) : null;

/** Which machine a row is of; null: it is another row. */
export const machineOfRow = (rowId: unknown): string | null =>
  typeof rowId === 'string' && rowId.startsWith(MACHINE) ? rowId.slice(MACHINE.length) : null;
