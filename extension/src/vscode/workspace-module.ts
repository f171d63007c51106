/** Open Workspace: the work folder of a cluster in a window of its own, or a terminal there where no editor can do that. */
import * as vscode from 'vscode';
import type { Cluster, SshAccess } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { canRun, isLive } from '../daemon/state.ts';
import { sentence } from '../sentence.ts';
import { wantedCluster } from '../workspace/authority.ts';
import type { Known, Step } from '../workspace/plan.ts';
import { chooseCluster, clusterOf } from './which-cluster.ts';
import { fail, inform, propose } from './messages.ts';
import type { Host, Module } from './module.ts';
import { createTerminal, withProgress } from './screen.ts';

const LOOK_AGAIN_MS = 500;
const WAIT_MS = 120_000;

/** What became of it. */
export type Opened = { readonly did: 'opened' | 'terminal' | 'nothing'; readonly host: string };

export interface WorkspaceApi {
  /** A window that comes back on a cluster's machine: `ssh` is started right after this, and needs the daemon. */
  readonly atActivation: Promise<void>;
}

export function createWorkspace(host: Host): Module<WorkspaceApi> {
  const { commands, connection, log } = host;
  const { model } = connection;

  const open = async (argument: unknown): Promise<Opened> => {
    const cluster =
      clusterOf(argument, model.state) ?? (await chooseCluster(model, 'Open Workspace', canRun));
    if (cluster === null) {
      return { did: 'nothing', host: '' };
    }
    await model.need();
    const { ssh } = model.client.api;
    const [{ sshExtension }, { nextStep }, { userFileOf }] = await Promise.all([
      import('../workspace/editors.ts'),
      import('../workspace/plan.ts'),
      import('../workspace/user-file.ts'),
    ]);
    const access = await untilReachable(cluster);
    const editor = sshExtension(id => vscode.extensions.getExtension(id) !== undefined);
    const file = userFileOf(vscode.workspace.getConfiguration('remote.SSH').get('configFile'));
    const asked = editor === null || file === undefined ? {} : { file };
    let known: Known = { access, config: await ssh.config(asked), editor, check: null };
    for (;;) {
      const step = nextStep(known);
      switch (step.do) {
        case 'terminal':
          showTerminal(step);
          return { did: 'terminal', host: step.host };
        case 'ask':
          if (!(await agrees(step.question, step.detail, step.yes))) {
            return { did: 'nothing', host: access.alias };
          }
          known = { ...known, config: await ssh.include({ ...asked, yes: true }) };
          break;
        case 'warn':
          if (!(await agrees(step.sentence, step.detail, step.yes))) {
            return { did: 'nothing', host: access.alias };
          }
          known = { ...known, anyway: true };
          break;
        case 'open':
          if (known.check === null) {
            known = { ...known, check: await ssh.check({ ...asked, clusterId: cluster.id }) };
            break;
          }
          log.info('Opening a workspace', step.address);
          await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.parse(step.address), {
            forceNewWindow: true,
          });
          return { did: 'opened', host: access.alias };
      }
    }
  };

  /** Of a machine that is still coming up, once it has said how it is reached. */
  const untilReachable = (cluster: Cluster): Promise<SshAccess> => {
    const ask = () => model.client.api.ssh.access({ clusterId: cluster.id });
    const deadline = systemClock.monotonic() + WAIT_MS;
    return ask().then(first =>
      first.state !== 'waiting'
        ? first
        : Promise.resolve(
            withProgress('notification', first.message, async ({ cancelled }) => {
              for (;;) {
                await systemClock.sleep(LOOK_AGAIN_MS);
                const access = await ask();
                if (cancelled.isCancellationRequested) {
                  throw new vscode.CancellationError();
                }
                if (access.state !== 'waiting' || systemClock.monotonic() > deadline) {
                  return access;
                }
              }
            }),
          ),
    );
  };

  /** Never throws: `ssh` and its editor say themselves that a machine is not reached. */
  const wake = async (name: string): Promise<void> => {
    try {
      await model.need();
      if (name === '') {
        return;
      }
      const clusters = await model.client.api.clusters.list();
      const cluster = clusters.find(known => known.name === name);
      if (cluster === undefined || !isLive(cluster)) {
        void fail(
          `${name} has stopped, so this window cannot reconnect to it. Files that were saved are on this computer.`,
        );
      }
    } catch (error) {
      log.error('The daemon could not be woken for this window', error);
      // A window that has named nobody may be on a machine that is none of ours.
      if (name !== '') {
        void fail(`This window’s cluster cannot be reached: ${sentence(error)}`);
      }
    }
  };
  const authorities = [
    ...(vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.authority),
    ...(vscode.workspace.workspaceFile === undefined ? [] : [vscode.workspace.workspaceFile.authority]),
  ].filter(authority => authority !== '');
  const wanted = wantedCluster(vscode.env.remoteName, authorities);

  return {
    api: { atActivation: wanted === null ? Promise.resolve() : wake(wanted) },
    disposables: [commands.register('hitch.cluster.workspace', open)],
  };
}

async function agrees(question: string, detail: string, yes: string): Promise<boolean> {
  return (await propose(question, detail, yes)) === yes;
}

function showTerminal({ host, command, shown }: Extract<Step, { do: 'terminal' }>): void {
  const [shellPath = 'ssh', ...shellArgs] = command;
  createTerminal({ name: host, shellPath, shellArgs, iconPath: new vscode.ThemeIcon('remote') }).show();
  const copy = 'Copy Command';
  // Not awaited: the terminal is there whatever becomes of the message.
  void inform(
    `This editor has no SSH extension, so a terminal was opened. From any other editor or shell: ${shown}`,
    copy,
  ).then(said => (said === copy ? vscode.env.clipboard.writeText(shown) : undefined));
}
