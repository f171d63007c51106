import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { CommandId } from '../../../extension/src/declared/commands.ts';
import { features, practiceCluster, until } from './inside.ts';

/**
 * Runs a command as a link in somebody's text would, with whatever its writer handed it, and answers nothing: a dialog is
 * refused by VS Code while tests run, a list or a field is left.
 */
export async function linked(command: CommandId, args: readonly unknown[]): Promise<void> {
  const state = { isOver: false };
  const running = Promise.resolve(vscode.commands.executeCommand(command, ...args)).finally(() => {
    state.isOver = true;
  });
  running.catch(() => undefined);
  await until(`${command} is over`, async () => {
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    return state.isOver;
  });
}

export function asking(): void {
  describe('a hostile link that runs a command', () => {
    let here = '';
    before(() => {
      here = mkdtempSync(join(tmpdir(), 'hitch-link-'));
    });
    after(() => rmSync(here, { recursive: true, force: true }));

    it('ends, extends, rents and sends nothing without the person’s own answer', async () => {
      const { id } = await practiceCluster();
      const { host } = await features();
      const { api } = host.connection.model.client;
      const before = await api.clusters.get({ clusterId: id });
      const copies = (await api.copies.list({})).length;
      const secret = join(here, 'id_ed25519');
      writeFileSync(secret, 'secret');
      const file = vscode.Uri.file(secret);
      for (const [command, args] of [
        ['hitch.cluster.stop', [id, true]],
        ['hitch.cluster.stop', [`cluster:${id}`, true]],
        ['hitch.cluster.endSave', [id, true]],
        ['hitch.cluster.cancel', [id, true]],
        ['hitch.cluster.extend', [id, { hours: 8 }]],
        ['hitch.cluster.remove', [id, true]],
        ['hitch.cluster.startAgain', [id, true]],
        ['hitch.cluster.nextOffer', [id, true]],
        ['hitch.cluster.replace', [id, true]],
        ['hitch.rent.new', [true]],
        ['hitch.rent.quick', [true]],
        ['hitch.rent.fromOffer', ['offer:cheap:local:this-computer']],
        ['hitch.rent.fromTemplate', ['template:notebook']],
        ['hitch.networks.connect', [true]],
        ['hitch.networks.login', ['network:sandbox']],
        ['hitch.networks.logout', ['network:sandbox']],
        ['hitch.machines.add', ['somebody@192.0.2.1']],
        ['hitch.machines.remove', ['machine:gpu-box']],
        ['hitch.machines.clean', ['machine:-oProxyCommand=theirs']],
        ['hitch.files.send', [file]],
        ['hitch.files.send', [file, [file]]],
        ['hitch.files.send', [`below:${id}:folder:sent`, [file]]],
        ['hitch.files.send', [`cluster:${id}`, [file]]],
        ['hitch.files.fetch', [vscode.Uri.parse(`hitch://${id}/notes.md`)]],
      ] as const) {
        await linked(command, args);
        const now = await api.clusters.get({ clusterId: id });
        assert.deepEqual([now.phase, now.caps], [before.phase, before.caps], command);
        assert.equal((await api.clusters.list()).length, 1, command);
        assert.equal((await api.copies.list({})).length, copies, command);
      }
    });
  });
}
