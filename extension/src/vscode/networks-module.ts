/** What a person does about networks: log in, test, log out, and look after machines of their own. */
import type { NetworkInfo } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { loginActions, loginLine, networkLine } from '@hitch/contract/src/network-state.ts';
import { networkAccountLines } from '@hitch/contract/src/network-words.ts';
import { networkOfRow } from '../networks/rows.ts';
import { ask, inform, warn } from './messages.ts';
import type { Host, Module } from './module.ts';
import type { NetworksViewApi } from './networks-view.ts';
import { pickOne, withProgress } from './screen.ts';

export function createNetworksModule(host: Host, view: NetworksViewApi | null): Module<object> {
  const { commands, connection } = host;
  const { model } = connection;
  const networks = async (): Promise<readonly NetworkInfo[]> => {
    await model.need();
    return view === null ? model.client.api.networks.list() : view.networks();
  };
  const refresh = async (): Promise<void> => {
    await view?.refresh();
    await model.refresh();
  };

  /** The one of the row, or the one that a person chooses of those that suit; null: none was chosen. */
  const networkFor = async (
    rowId: unknown,
    title: string,
    suits: (network: NetworkInfo) => boolean,
  ): Promise<NetworkInfo | null> => {
    const all = await networks();
    const fitting = all.filter(suits);
    const named = fitting.find(({ id }) => id === networkOfRow(rowId));
    if (named !== undefined) {
      return named;
    }
    if (fitting.length === 0) {
      throw new HitchError('CONFLICT', 'There is no such login: the networks of this version need none.', {
        next: 'Add a machine of your own instead.',
      });
    }
    const picked = await pickOne(
      fitting.map(network => ({
        icon: 'globe',
        label: network.title,
        description: network.login === null ? networkLine(network) : loginLine(network.login),
        network,
      })),
      { title, placeholder: 'Which network?' },
    );
    return picked?.network ?? null;
  };

  const login = async (network: NetworkInfo): Promise<void> => {
    const values = await (await import('./login-steps.ts')).askForLogin(network);
    if (values === null) {
      return;
    }
    const { message, account, warning } = await withProgress(
      'status bar',
      `Hitch: asking ${network.title}`,
      () => model.client.api.networks.login({ provider: network.id, values }),
    );
    void inform([message, ...(account === null ? [] : networkAccountLines(account, Date.now()))].join('\n'));
    if (warning !== null) {
      void warn(warning);
    }
    await refresh();
  };

  const test = async ({ id, title }: NetworkInfo): Promise<void> => {
    try {
      const { message, account } = await withProgress('status bar', `Hitch: asking ${title}`, () =>
        model.client.api.networks.test({ provider: id }),
      );
      void inform(
        [message, ...(account === null ? [] : networkAccountLines(account, Date.now()))].join('\n'),
      );
    } finally {
      await refresh();
    }
  };

  const logout = async ({ id, title }: NetworkInfo): Promise<void> => {
    const yes = 'Log Out';
    const detail =
      'Nothing can be rented there until you log in again. While something is rented there, it is not done.';
    if ((await ask(`Log out of ${title}?`, detail, yes)) === yes) {
      await model.client.api.networks.logout({ provider: id });
      const now = await model.client.api.networks.list();
      const left = now.find(network => network.id === id)?.login?.problem ?? null;
      if (left !== null) {
        void warn(left);
      }
      await refresh();
    }
  };

  /** The way in from an empty view: the networks that take a login, and machines of one's own. */
  const connect = async (): Promise<void> => {
    const all = await networks();
    const choices = [
      ...all
        .filter(({ login: needed }) => needed !== null)
        .map(network => ({
          icon: 'globe',
          label: network.title,
          description: network.login === null ? '' : loginLine(network.login),
          network,
        })),
      ...(all.some(({ machines }) => machines !== null)
        ? [
            {
              icon: 'server',
              label: 'Add your own machine…',
              description: 'reached by your ssh',
              network: null,
            },
          ]
        : []),
    ];
    if (choices.length === 0) {
      throw new HitchError('CONFLICT', 'No network that can be connected is turned on in Hitch’s daemon.', {
        next: 'Look at the variable HITCH_PROVIDERS, and start the daemon again.',
      });
    }
    const picked = await pickOne(choices, {
      title: 'Connect a network',
      placeholder: 'Where do the GPUs come from?',
    });
    if (picked?.network === null) {
      await addMachine();
    } else if (picked !== undefined) {
      await login(picked.network);
    }
  };

  const adopt = async (rowId: unknown): Promise<void> => {
    const all = await networks();
    await (await import('./adopt-steps.ts')).adoptMachine({ model, refresh }, rowId, all);
  };

  const machineSteps = async () => (await import('./machine-steps.ts')).machineSteps({ model, refresh });
  const addMachine = async (): Promise<void> => {
    await model.need();
    await (await machineSteps()).add();
  };

  const about = (
    action: 'login' | 'test' | 'logout',
    title: string,
    act: (network: NetworkInfo) => Promise<void>,
  ) => {
    return async (rowId: unknown): Promise<void> => {
      const network = await networkFor(rowId, title, each => loginActions(each).includes(action));
      if (network !== null) {
        await act(network);
      }
    };
  };
  const onMachine =
    (act: 'test' | 'remove' | 'clean') =>
    async (rowId: unknown): Promise<void> => {
      await (await machineSteps()).on(act, rowId, await networks());
    };

  return {
    api: {},
    disposables: [
      commands.register('hitch.networks.connect', connect),
      commands.register('hitch.networks.login', about('login', 'Log in', login)),
      commands.register('hitch.networks.test', about('test', 'Test a login', test)),
      commands.register('hitch.networks.logout', about('logout', 'Log out', logout)),
      commands.register('hitch.foreign.adopt', adopt),
      commands.register('hitch.machines.add', addMachine),
      commands.register('hitch.machines.test', onMachine('test')),
      commands.register('hitch.machines.remove', onMachine('remove')),
      commands.register('hitch.machines.clean', onMachine('clean')),
    ],
  };
}
