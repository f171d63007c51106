/** The log, the support bundle, the walkthrough and the daemon's start. */
import * as vscode from 'vscode';
import { CONTEXT_KEYS, type ContextKey } from '../declared/context-keys.ts';
import { WALKTHROUGH } from '../declared/views.ts';
import { disposable, type Host, type Module } from './module.ts';

const OWN_LOG_BYTES = 200_000;
const DID = 'hitch.did.';
const STEPS = [
  'hitch.did.connect',
  'hitch.did.rent',
  'hitch.did.runOn',
  'hitch.did.stop',
] as const satisfies ContextKey[];

/**
 * VS Code completes a step when its context key becomes true, and forgets one that was true before it first read the
 * walkthrough. Not documented, so a failure only leaves a step open.
 */
async function markDone(steps: readonly string[]): Promise<void> {
  for (const step of steps) {
    await Promise.resolve(vscode.commands.executeCommand('welcome.markStepComplete', step)).catch(
      () => undefined,
    );
  }
}

export function createSupport(host: Host): Module<object> {
  const { commands, connection, context, contextKeys, log, memory } = host;
  const { model, home } = connection;

  const done = memory.get('did');
  for (const key of STEPS) {
    contextKeys.set(key, done.includes(key) || CONTEXT_KEYS[key]);
  }
  const remember = (): void => {
    if (model.state.connection === 'live') {
      contextKeys.set('hitch.did.connect', true);
    }
    const did = STEPS.filter(key => contextKeys.get(key) === true);
    if (did.length !== memory.get('did').length) {
      memory.set('did', [...did]);
    }
  };

  const bundle = async (): Promise<void> => {
    const target = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.joinPath(
        vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(home.root),
        'hitch-support.json',
      ),
      filters: { JSON: ['json'] },
      title: 'Save a support bundle: keys, tokens and your name are removed; check it before you send it',
    });
    if (target === undefined) {
      return;
    }
    // Also without a daemon: that may be what somebody needs help with.
    await model.need().catch((error: unknown) => log.warn('The daemon is away', String(error)));
    const { endOf, supportBundle } = await import('../support/bundle.ts');
    const text = await supportBundle({
      api: () => model.client.api,
      state: model.state,
      logFolder: home.logs,
      editor: {
        app: vscode.env.appName,
        version: vscode.version,
        host: vscode.env.appHost,
        remote: vscode.env.remoteName ?? null,
        extension: (context.extension.packageJSON as { version?: unknown }).version,
        node: process.version,
        platform: process.platform,
      },
      settings: host.settings.all(),
      ownLog: endOf(vscode.Uri.joinPath(context.logUri, 'Hitch.log').fsPath, OWN_LOG_BYTES),
      nowMs: Date.now(),
    });
    await vscode.workspace.fs.writeFile(target, Buffer.from(text));
    await vscode.window.showTextDocument(target, { preview: true });
  };

  return {
    api: {},
    disposables: [
      disposable(model.onChange(remember)),
      commands.register('hitch.log.show', () => log.show()),
      commands.register('hitch.support.bundle', bundle),
      commands.register('hitch.view.refresh', async () => {
        await model.need();
        await model.refresh();
      }),
      commands.register('hitch.daemon.start', () => model.need()),
      commands.register('hitch.walkthrough.open', async () => {
        const id = `${context.extension.id}#${WALKTHROUGH}`;
        await vscode.commands.executeCommand('workbench.action.openWalkthrough', id, false);
        await markDone(
          STEPS.filter(key => contextKeys.get(key) === true).map(key => `${id}#${key.slice(DID.length)}`),
        );
      }),
    ],
  };
}
