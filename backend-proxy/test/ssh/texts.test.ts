import assert from 'node:assert/strict';
import { readSshAlias, sshAlias } from '@hitch/contract';
import fc from 'fast-check';
import { differences, readSettings } from '../../src/access/ssh/check.ts';
import {
  configText,
  forSsh,
  isNameable,
  knownHostsText,
  proxyCommand,
  type SshFiles,
} from '../../src/access/ssh/entries.ts';
import { hasInclude, includeLine, withInclude, withoutInclude } from '../../src/access/ssh/include.ts';
import { programIn, proxyScript } from '@hitch/client-node/src/proxy-script.ts';
import { accountName, isLocked } from '../../src/agent/ssh/find-sshd.ts';
import { isPlainPath, sessionScript, sshdConfig } from '../../src/agent/ssh/sshd-files.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';

const files: SshFiles = {
  config: '/home/a b/.hitch/ssh/config',
  knownHosts: '/home/a b/.hitch/ssh/known_hosts',
  identity: clusterId => `/home/a b/.hitch/ssh/keys/${clusterId}`,
  proxy: '/home/a b/.hitch/ssh/proxy',
  webProxy: '/home/a b/.hitch/ssh/web-proxy',
};
const host = { alias: 'hitch-llm-dev', clusterId: 'clu_A', user: 'root', hostKey: 'ssh-ed25519 AAAA' };
const LINE = includeLine(files.config);

describe('the names of hosts', () => {
  it('are read back as the cluster and the node that they were made of', () => {
    for (const [name, index] of [
      ['llm-dev', 0],
      ['a1', 12],
    ] as const) {
      assert.deepEqual(readSshAlias(sshAlias(name, index)), { clusterName: name, nodeIndex: index });
    }
  });

  it('are nobody’s where they do not look like ours', () => {
    for (const alias of ['llm-dev', 'hitch-', 'hitch-a.0', 'hitch-A', 'hitch-a.b', 'hitch-a b']) {
      assert.equal(readSshAlias(alias), null, alias);
    }
  });
});

describe('the Include in a user’s configuration', () => {
  it('goes to the top, once, and comes out without a trace, whatever else stands there', () => {
    const anyLine = fc.constantFrom(
      'Host *',
      '  User me',
      '# note',
      '',
      'Include other',
      'Match all',
      'Include "/x y/z"',
    );
    fc.assert(
      fc.property(fc.array(anyLine), fc.constantFrom('\n', '\r\n'), fc.boolean(), (lines, end, last) => {
        const text = lines.join(end) + (last ? end : '');
        const once = withInclude(text, LINE);
        assert.ok(hasInclude(once, LINE));
        assert.equal(withInclude(once, LINE), once);
        assert.equal(withoutInclude(once, LINE), text);
      }),
    );
  });

  it('does not count inside of a host’s block, where it would hold for that host only', () => {
    assert.equal(hasInclude(`Host a\n  ${LINE}\n`, LINE), false);
    assert.equal(hasInclude(`# x\ninclude   ${files.config}\nHost a\n`, LINE), true);
  });
});

describe('a path in a configuration', () => {
  it('has slashes on Windows, and elsewhere keeps a backslash, which is then a letter of a name', () => {
    assert.equal(forSsh('C:\\Users\\me'), 'C:/Users/me');
    assert.equal(forSsh('\\\\server\\share'), '//server/share');
    assert.equal(forSsh('/home/a\\b'), '/home/a\\b');
  });

  it('is refused where readers would differ about it', () => {
    for (const path of ['/a b/c', 'C:\\Users\\me', '/a[b]', '/für']) {
      assert.equal(isNameable(path), true, path);
    }
    for (const path of ['/a"b', "/a'b", '/a$b', '/a`b', '/a\\b', '/a\nb', 'C:\\a$b']) {
      assert.equal(isNameable(path), false, path);
    }
  });

  it('is no pattern where ssh would take it for one', () => {
    assert.equal(includeLine('/a[b]*?/config'), 'Include "/a[[]b][*][?]/config"');
  });
});

describe('what ssh is told of a host', () => {
  it('is self-contained: absolute, quoted where it must be, pinned, and lends nothing', () => {
    const text = configText([host], files);
    for (const line of [
      'Host hitch-llm-dev',
      'ProxyCommand "/home/a b/.hitch/ssh/proxy" hitch-llm-dev',
      'StrictHostKeyChecking yes',
      'IdentitiesOnly yes',
      'ForwardAgent no',
      'UserKnownHostsFile "/home/a b/.hitch/ssh/known_hosts"',
    ]) {
      assert.ok(text.includes(line), line);
    }
    assert.doesNotMatch(text, /%[a-z]|Match/);
    assert.equal(knownHostsText([host]), 'clu_a.hitch-llm-dev,hitch-llm-dev ssh-ed25519 AAAA\n');
  });

  it('has a proxy command that is split alike by shells, by Windows and by editors', () => {
    assert.equal(proxyCommand('/h/ssh/proxy', 'hitch-a'), '/h/ssh/proxy hitch-a');
    assert.equal(proxyCommand('/R&D (old)/proxy', 'hitch-a'), '"/R&D (old)/proxy" hitch-a');
    assert.equal(proxyCommand('/R&D;x/proxy', 'hitch-a'), '"/R&D;x/proxy" hitch-a');
    assert.equal(
      proxyCommand('C:\\Users\\A B\\100%\\proxy.cmd', 'hitch-a'),
      '"C:/Users/A B/100%%/proxy.cmd" hitch-a',
    );
  });

  it('is compared with what ssh -G says, keyword by keyword', () => {
    const entry =
      'hostname hitch-llm-dev\nuser root\nproxycommand "/home/a b/.hitch/ssh/proxy" hitch-llm-dev\n';
    const rest = [
      'hostkeyalias clu_a.hitch-llm-dev',
      'userknownhostsfile /home/a b/.hitch/ssh/known_hosts',
      'stricthostkeychecking true',
      'identityfile /home/a b/.hitch/ssh/keys/clu_A',
      'identitiesonly yes',
      'pubkeyauthentication true',
      'proxyusefdpass no',
      'identityagent none',
      'forwardagent no',
      'forwardx11 no',
      'tunnel false',
      'permitlocalcommand no',
    ].join('\n');
    assert.deepEqual(differences(readSettings(entry + rest), host, files), []);
    const weakened = rest.replace('stricthostkeychecking true', 'stricthostkeychecking false');
    assert.deepEqual(differences(readSettings(entry + weakened), host, files), [
      'For hitch-llm-dev ssh reads StrictHostKeyChecking as false, and Hitch wrote yes.',
    ]);
  });
});

describe('the program in ProxyCommand', () => {
  const program = {
    node: "/opt/it's/node",
    hitch: '/opt/hitch.mjs',
    homeFolder: '/h',
    environment: { HITCH_PYTHON: '/py' },
  };

  it('quotes what it names, for a shell', () => {
    const text = proxyScript(program, 'linux');
    assert.match(text, /^#!\/bin\/sh\n/);
    assert.ok(text.includes(`node='/opt/it'\\''s/node'`));
    assert.ok(text.includes(`export HITCH_PYTHON='/py'`));
    assert.match(text, /exec "\$node" "\$hitch" ssh-proxy "\$@"\n$/);
  });

  it('says which program it starts, on either system', () => {
    for (const platform of ['linux', 'win32'] as const) {
      for (const hitch of ["/it's/hitch.mjs", '/100%/hitch.mjs']) {
        assert.equal(programIn(proxyScript({ ...program, hitch }, platform)), hitch);
      }
    }
    assert.equal(programIn('#!/bin/sh\n'), null);
  });

  it('is a batch file on Windows', () => {
    const text = proxyScript({ ...program, hitch: 'C:\\100%\\hitch.mjs' }, 'win32');
    assert.ok(text.includes('"C:\\100%%\\hitch.mjs" ssh-proxy %*'));
    assert.ok(text.split('\r\n').every(line => line === '' || line.startsWith('@')));
    // A bracket in the words would end the block that they stand in, and the rest of the line would be refused.
    const said = /\(echo (.*) 1>&2 & exit \/b 127\)/.exec(text)?.[1] ?? '';
    assert.match(said, /^hitch: Hitch was moved[^()&|<>^%"]*$/);
  });
});

describe('what sshd is told', () => {
  const facts = {
    hostKey: '/s/host_key',
    authorizedKeys: '/s/authorized_keys',
    session: '/s/session',
    user: 'me',
    ref: 'hitch-a',
    workFolder: '/w',
    sessionFile: '/s/session.sh',
    shell: '/s/shell',
    usePam: false,
    terminals: true,
  };

  it('is one user, one key, no passwords, no agent, and the node’s tag', () => {
    const text = sshdConfig({ ...facts, sftpServer: '/usr/lib/sftp' });
    for (const line of [
      'AllowUsers me',
      'PasswordAuthentication no',
      'AllowAgentForwarding no',
      'PidFile none',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
    assert.equal([...text.matchAll(/^SetEnv /gm)].length, 1);
    assert.match(text, /^SetEnv HITCH_NODE=hitch-a /m);
    assert.match(text, /^ForceCommand '\/s\/session'$/m);
  });

  it('forces no command where only sshd’s inner sftp is there, for the two exclude each other', () => {
    const text = sshdConfig({ ...facts, sftpServer: null });
    assert.doesNotMatch(text, /ForceCommand/);
    assert.match(text, /^Subsystem sftp internal-sftp -d "\/w"$/m);
  });

  it('gives no terminals where sshd would end over the first, and has a shell say what to do', () => {
    const without = { ...facts, sftpServer: '/usr/lib/sftp', terminals: false };
    assert.match(sshdConfig(without), /^PermitTTY no$/m);
    assert.match(sessionScript(without), /^  echo 'hitch: no terminals[^']*hitch ssh[^']*' >&2$/m);
    assert.match(sshdConfig({ ...without, terminals: true }), /^PermitTTY yes$/m);
    assert.doesNotMatch(sessionScript({ ...without, terminals: true }), /echo/);
  });

  it('is refused for folders that cannot be quoted', () => {
    assert.equal(isPlainPath('/a b/c'), true);
    for (const path of ['/a"b', "/a'b", '/a%b', '/a\\b', '/a\nb']) {
      assert.equal(isPlainPath(path), false, path);
    }
  });

  it('finds no locked account where it may not look', () => {
    assert.equal(isLocked('me', '/nonexistent/shadow'), false);
  });

  it('lets nobody in where the account has no name, or one that ssh cannot be told of', () => {
    const nameless = (): string => {
      throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT');
    };
    assert.equal(accountName(nameless), null);
    assert.equal(
      accountName(() => 'EXAMPLE\\some one'),
      null,
    );
    assert.equal(
      accountName(() => 'me'),
      'me',
    );
  });
});

describe('a key in OpenSSH’s format', () => {
  it('holds the same public key in both files', () => {
    const { publicKey, privateKey } = generateOpensshKey('a comment');
    const [type, blob] = publicKey.split(' ');
    assert.equal(type, 'ssh-ed25519');
    const lines = privateKey.trimEnd().split('\n');
    assert.equal(lines[0], '-----BEGIN OPENSSH PRIVATE KEY-----');
    assert.ok(lines.every(line => line.length <= 70));
    const bytes = Buffer.from(lines.slice(1, -1).join(''), 'base64');
    assert.ok(bytes.includes(Buffer.from(blob ?? '', 'base64')));
    assert.ok(bytes.includes('a comment'));
  });
});
