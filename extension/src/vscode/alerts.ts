/** Messages about money and time, each once in a window; and what the daemon warns of while it happens. */
import * as vscode from 'vscode';
import type { CommandId } from '../declared/commands.ts';
import { titlesOf } from '../daemon/state.ts';
import { type Alert, type AlertAction, alertsOf } from '../status/alerts.ts';
import { disposable, type Host, type Module } from './module.ts';

const BUTTONS: Readonly<Record<AlertAction, { readonly label: string; readonly command: CommandId }>> = {
  extend: { label: 'Extend…', command: 'hitch.cluster.extend' },
  stop: { label: 'Stop…', command: 'hitch.cluster.stop' },
  retry: { label: 'Retry', command: 'hitch.cluster.retry' },
};

const LOOK_EVERY_MS = 20_000;

export function createAlerts(host: Host): Module<object> {
  const { model } = host.connection;
  const told = new Set<string>();

  const tell = async ({ clusterId, text, actions }: Alert): Promise<void> => {
    const buttons = actions.map(action => BUTTONS[action]);
    const said = await vscode.window.showWarningMessage(text, ...buttons.map(({ label }) => label));
    const chosen = buttons.find(({ label }) => label === said);
    if (chosen !== undefined) {
      await vscode.commands.executeCommand(chosen.command, clusterId);
    }
  };
  const look = (): void => {
    const { clusters, providers } = model.state;
    for (const alert of alertsOf(clusters ?? [], Date.now(), titlesOf(providers))) {
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
      disposable(
        model.onEvent(({ clusterId, kind, message }) => {
          const name = model.state.clusters?.find(({ id }) => id === clusterId)?.name ?? 'A cluster';
          if (kind === 'warning' && message !== '') {
            void vscode.window.showWarningMessage(`${name}: ${message}`);
          }
        }),
      ),
    ],
  };
}
