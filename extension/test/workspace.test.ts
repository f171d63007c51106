import assert from 'node:assert/strict';
import type { SshAccess, SshConfigState } from '@hitch/contract';
import { clusterOfAuthority, hostOf, wantedCluster, workspaceAddress } from '../src/workspace/authority.ts';
import { SSH_EXTENSION_IDS, sshExtension } from '../src/workspace/editors.ts';
import { nextStep, shownCommand, sshCommand } from '../src/workspace/plan.ts';
import { userFileOf } from '../src/workspace/user-file.ts';
import { CLUSTER_ID } from './sample.ts';

const access: SshAccess = {
  clusterId: CLUSTER_ID,
  nodeIndex: 0,
  alias: 'hitch-llm-dev',
  state: 'available',
  message: '',
  user: 'root',
  workFolder: '/root/work',
  hostKey: 'ssh-ed25519 AAAA',
  configFile: '/home/me/.hitch/ssh/config',
};
const config: SshConfigState = {
  configFile: access.configFile,
  userFile: '/home/me/.ssh/config',
  includeLine: `Include "${access.configFile}"`,
  included: true,
  aliases: [access.alias],
  problem: '',
};
const editor = { id: 'ms-vscode-remote.remote-ssh', title: 'Remote - SSH' } as const;
const fine = { ok: true, differences: [] };
const hex = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('hex');

describe('opening a workspace', () => {
  it('opens the work folder where an SSH extension is, the line stands and ssh agrees', () => {
    assert.deepEqual(nextStep({ access, config, editor, check: fine }), {
      do: 'open',
      address: 'vscode-remote://ssh-remote+hitch-llm-dev/root/work',
    });
  });

  it('asks before it changes a person’s file, and shows file and line', () => {
    const step = nextStep({ access, config: { ...config, included: false }, editor, check: null });
    assert.equal(step.do, 'ask');
    assert.ok(
      'detail' in step && step.detail.includes(config.userFile) && step.detail.includes(config.includeLine),
    );
  });

  it('says what ssh makes of it when that is something else, and goes on when the person wants to', () => {
    const check = { ok: false, differences: ['For hitch-llm-dev ssh reads User as nobody.'] };
    const step = nextStep({ access, config, editor, check });
    assert.ok(step.do === 'warn' && step.detail === check.differences[0]);
    assert.equal(nextStep({ access, config, editor, check, anyway: true }).do, 'open');
  });

  it('comes to a terminal where no extension opens remote windows, with or without the line', () => {
    const step = nextStep({ access, config: { ...config, included: false }, editor: null, check: null });
    assert.deepEqual(step, {
      do: 'terminal',
      host: 'hitch-llm-dev',
      command: ['ssh', '-F', access.configFile, 'hitch-llm-dev'],
      shown: 'ssh -F /home/me/.hitch/ssh/config hitch-llm-dev',
    });
    assert.deepEqual(sshCommand(access, config), ['ssh', 'hitch-llm-dev']);
  });

  it('has one sentence for a machine without an SSH server, and for a file that cannot be changed', () => {
    const message = 'This machine has no SSH server: install openssh-server there.';
    assert.throws(
      () => nextStep({ access: { ...access, state: 'unavailable', message }, config, editor, check: null }),
      {
        message,
      },
    );
    const problem = 'ssh cannot be told of that folder.';
    assert.throws(
      () => nextStep({ access, config: { ...config, included: false, problem }, editor, check: null }),
      { message: problem },
    );
  });

  it('shows commands as they are typed', () => {
    assert.equal(shownCommand(['ssh', '-F', '/home/A B/config', 'h']), 'ssh -F "/home/A B/config" h');
  });
});

describe('the editor’s SSH extension', () => {
  it('is found whichever of the five it is', () => {
    assert.equal(SSH_EXTENSION_IDS.length, 5);
    for (const id of SSH_EXTENSION_IDS) {
      assert.equal(sshExtension(asked => asked === id)?.id, id);
    }
    assert.equal(
      sshExtension(() => false),
      null,
    );
  });

  it('may read another configuration than the usual one', () => {
    assert.equal(userFileOf('', '/home/me'), undefined);
    assert.equal(userFileOf(null, '/home/me'), undefined);
    assert.equal(userFileOf('~/ssh config', '/home/me'), '/home/me/ssh config');
    assert.equal(userFileOf('/etc/mine', '/home/me'), '/etc/mine');
  });
});

describe('a remote window', () => {
  it('is addressed by a host that survives lower-casing, and a folder that may hold anything', () => {
    assert.equal(
      workspaceAddress('hitch-a', '/work/50 % off/#1'),
      'vscode-remote://ssh-remote+hitch-a/work/50%20%25%20off/%231',
    );
  });

  it('is known for one of ours, also as editors encode hosts', () => {
    assert.equal(clusterOfAuthority('ssh-remote+hitch-llm-dev'), 'llm-dev');
    assert.equal(clusterOfAuthority('ssh-remote+hitch-llm-dev.1'), 'llm-dev');
    assert.equal(clusterOfAuthority(`ssh-remote+${hex({ hostName: 'hitch-llm-dev' })}`), 'llm-dev');
    assert.equal(hostOf('ssh-remote+cafe'), 'cafe');
    for (const authority of ['ssh-remote+box', 'wsl+Ubuntu', 'dev-container+7b7d', '']) {
      assert.equal(clusterOfAuthority(authority), null, authority);
    }
  });

  it('wakes the daemon when it comes back to one of ours, or does not say yet where it goes', () => {
    assert.equal(wantedCluster('ssh-remote', ['ssh-remote+hitch-a1']), 'a1');
    assert.equal(wantedCluster('ssh-remote', []), '');
    assert.equal(wantedCluster('ssh-remote', ['ssh-remote+box']), null);
    assert.equal(wantedCluster(undefined, []), null);
    assert.equal(wantedCluster('wsl', []), null);
  });
});
