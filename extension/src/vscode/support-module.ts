/** The log, the report of a problem, the walkthrough and the daemon's start. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { CONTEXT_KEYS, type ContextKey } from '../declared/context-keys.ts';
import { WALKTHROUGH } from '../declared/views.ts';
import { sentence } from '../sentence.ts';
import { inform } from './messages.ts';
import { disposable, type Host, type Module } from './module.ts';

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

  /** Shown before anything is written: it is a person who keeps it, and sends it. */
  const report = async (): Promise<void> => {
    // Also without a daemon: that may be what somebody needs help with.
    await model.need().catch((error: unknown) => log.warn('The daemon is away', String(error)));
    const { endOf, problemReport } = await import('@hitch/client-node/src/report/problem-report.ts');
    const { state } = model;
    const { text } = await problemReport({
      api: () => model.client.api,
      clusters: state.clusters,
      client: {
        app: vscode.env.appName,
        version: vscode.version,
        host: vscode.env.appHost,
        remote: vscode.env.remoteName ?? null,
        extension: (context.extension.packageJSON as { version?: unknown }).version,
        node: process.version,
        platform: process.platform,
        settings: host.settings.all(),
        connection: { state: state.connection, problem: state.problem },
      },
      logs: {
        extension: endOf(vscode.Uri.joinPath(context.logUri, 'Hitch.log').fsPath),
        daemon: endOf(join(home.logs, 'daemon.log')),
        start: endOf(join(home.logs, 'daemon.out')),
      },
      nowMs: Date.now(),
      sentence,
    });
    await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ language: 'json', content: text }),
    );
    const save = 'Save…';
    const answer = await inform(
      'This is the report. Keys, tokens, names and your home folder are taken out, and nothing is sent. Save it to add it to what you write.',
      save,
    );
    if (answer === save) {
      await vscode.commands.executeCommand('workbench.action.files.saveAs');
    }
  };

  return {
    api: {},
    disposables: [
      disposable(model.onChange(remember)),
      commands.register('hitch.log.show', () => log.show()),
      commands.register('hitch.support.report', report),
      commands.register('hitch.docs.open', async () => {
        const first = vscode.Uri.joinPath(context.extensionUri, 'docs', 'index.md');
        await vscode.commands.executeCommand('markdown.showPreview', first);
      }),
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
