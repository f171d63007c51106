import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { features, practiceCluster, until } from './inside.ts';

const CLIENT = '/usr/bin/ssh';
const SERVER = '/usr/sbin/sshd';

export function workspace(): void {
  describe('a workspace where the editor has no SSH extension', () => {
    it('is a terminal on the cluster, opened with the command that is shown', async function () {
      if (!existsSync(CLIENT) || !existsSync(SERVER)) {
        this.skip();
      }
      const { host } = await features();
      const cluster = await practiceCluster();
      const opened = await vscode.commands.executeCommand('hitch.cluster.workspace', cluster.id);
      assert.deepEqual(opened, { did: 'terminal', host: 'hitch-llm-dev' });
      const terminal = await until('its terminal', () =>
        vscode.window.terminals.find(({ name }) => name === 'hitch-llm-dev'),
      );
      const pid = await terminal.processId;
      // It is the editor's own helper for a moment, until it has become ssh.
      const command = await until('ssh runs in it', () => {
        const words = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')
          .split('\0')
          .filter(Boolean);
        return /(?:^|\/)ssh$/.test(words[0] ?? '') ? words : null;
      });
      const access = await host.connection.model.client.api.ssh.access({ clusterId: cluster.id });
      assert.deepEqual(command.slice(1), ['-F', access.configFile, 'hitch-llm-dev']);
      const proof = join(access.workFolder, 'typed-in-the-terminal');
      terminal.sendText('touch typed-in-the-terminal');
      await until('what was typed has run on the machine', () => existsSync(proof));
      terminal.dispose();
    });
  });
}
