/** Messages about money and time, each once in a window; and what the daemon warns of while it happens. */
import * as vscode from 'vscode';
import type { CommandId } from '../declared/commands.ts';
import { canRun, titlesOf } from '../daemon/state.ts';
import { notebookName } from '../kernel/notebooks.ts';
import { type Alert, type AlertAction, alertsOf, Departures, Standing } from '../status/alerts.ts';
import type { ClusterCommandsApi } from './cluster-commands.ts';
import { inform, warn } from './messages.ts';
import { disposable, type Host, type Module } from './module.ts';
import { withProgress } from './screen.ts';

const BUTTONS: Readonly<
  Record<AlertAction, { readonly label: string; readonly command: CommandId; readonly isSaid?: boolean }>
> = {
  extend: { label: 'Extend…', command: 'hitch.cluster.extend' },
  stop: { label: 'Stop…', command: 'hitch.cluster.stop' },
  // The message has said what happens: it is asked again only where something would be lost.
  saveAndStop: { label: 'Save and Stop Now', command: 'hitch.cluster.stop', isSaid: true },
  retry: { label: 'Retry', command: 'hitch.cluster.retry' },
};

const LOOK_EVERY_MS = 20_000;
const COUNT_WITHIN_MS = 10_000;

export function createAlerts(
  host: Host,
  { clusterCommands }: { readonly clusterCommands: ClusterCommandsApi | null },
): Module<object> {
  const { model } = host.connection;
  const told = new Set<string>();
  const departures = new Departures(host.memory.get('here'));
  let here = '';
  const standing = new Standing();

  /** With sizes where they can be counted in a moment; the warning does not wait longer for them. */
  const textOf = async ({ clusterId, text, textWith }: Alert): Promise<string> => {
    const cluster = model.state.clusters?.find(({ id }) => id === clusterId);
    if (textWith === undefined || cluster === undefined || !canRun(cluster)) {
      return text;
    }
    try {
      const { stopPlan } = await import('@hitch/contract/src/stop-plan.ts');
      const signal = AbortSignal.any([model.signal, AbortSignal.timeout(COUNT_WITHIN_MS)]);
      const plan = await stopPlan(model.client.api, cluster, { signal, nameOf: notebookName });
      return textWith(plan, Date.now());
    } catch (error) {
      host.log.debug('What a stop would lose could not be counted', String(error));
      return text;
    }
  };
  /** VS Code takes no message back but one that shows that something goes on, and that one has no buttons. */
  const stand = async ({ key, text }: Alert): Promise<void> => {
    await withProgress('notification', text, ({ cancelled }) => {
      cancelled.onCancellationRequested(() => standing.end(key));
      return standing.stand(key);
    });
  };
  const tell = async (alert: Alert): Promise<void> => {
    const { clusterId, actions } = alert;
    if (actions.length === 0) {
      return stand(alert);
    }
    const buttons = actions.map(action => BUTTONS[action]);
    const text = await textOf(alert);
    const said = await warn(text, ...buttons.map(({ label }) => label));
    const chosen = buttons.find(({ label }) => label === said);
    if (chosen?.isSaid === true && clusterCommands !== null) {
      // A person pressed it: what fails is told as a command's failure is.
      await clusterCommands
        .saveAndStop(clusterId)
        .catch((error: unknown) => host.commands.tell(chosen.command, error));
    } else if (chosen !== undefined) {
      await vscode.commands.executeCommand(chosen.command, clusterId);
    }
  };
  const look = (): void => {
    const { clusters, providers } = model.state;
    if (clusters !== null) {
      for (const text of departures.look(clusters, Date.now(), titlesOf(providers))) {
        void inform(text);
      }
      if (departures.here.join() !== here) {
        here = departures.here.join();
        host.memory.set('here', [...departures.here]);
      }
    }
    const alerts = alertsOf(clusters ?? [], Date.now(), titlesOf(providers));
    standing.keep(alerts);
    for (const alert of alerts) {
      if (!told.has(alert.key)) {
        told.add(alert.key);
        tell(alert).catch((error: unknown) => host.log.error('A message failed', String(error)));
      }
    }
  };
  const tick = setInterval(look, LOOK_EVERY_MS);
  return {
    api: {},
    disposables: [
      disposable(model.onChange(look)),
      disposable(() => clearInterval(tick)),
      disposable(() => standing.keep([])),
      disposable(
        model.onEvent(({ clusterId, kind, message }) => {
          const name = model.state.clusters?.find(({ id }) => id === clusterId)?.name ?? 'A cluster';
          if (kind === 'warning' && message !== '') {
            void warn(`${name}: ${message}`);
          }
        }),
      ),
    ],
  };
}
