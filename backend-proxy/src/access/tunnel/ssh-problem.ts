/** What `ssh` said when it failed, as an error with a sentence that says what to do. */
import { shownName } from '@hitch/contract';
import { FarError, type HostKeySeen } from './far-shell.ts';

/** Lines that say that something failed, and nothing of why. */
const ECHOES =
  /^(Connection closed by UNKNOWN|kex_exchange_identification|ssh_exchange_identification|stdio forwarding failed|Host key verification failed|client_loop|mux_client|Connection to .* closed|debug\d|@|\s*$|Warning:|\*\*)/;

/**
 * @param stderr everything that `ssh` wrote
 * @param code its exit code; null when a signal ended it
 */
export function sshProblem(name: string, stderr: string, code: number | null): FarError {
  const who = shownName(name);
  const cause = new Error(`ssh ended with ${String(code)}: ${stderr.trim()}`);
  const known =
    changedKey(who, stderr, cause) ??
    ourWay(who, name, stderr, cause) ??
    wayThere(who, stderr, cause) ??
    unknownKey(who, stderr, cause) ??
    settings(who, stderr, cause) ??
    login(who, stderr, cause);
  if (known !== null) {
    return known;
  }
  const why = reasonIn(stderr);
  return new FarError(
    'unreachable',
    `${who} does not answer${why === '' ? '' : `: ${why}`}. Check that it is on, and that ssh ${who} works in a terminal.`,
    { cause },
  );
}

function changedKey(who: string, stderr: string, cause: Error): FarError | null {
  if (!stderr.includes('REMOTE HOST IDENTIFICATION HAS CHANGED')) {
    return null;
  }
  const [, type = 'host', fingerprint = ''] =
    /fingerprint for the (\S+) key sent by the remote host is\s+(\S+?)\.?\s/.exec(stderr) ?? [];
  const [, place = ''] = /Offending \S+ key in (.+?)\s*$/m.exec(stderr) ?? [];
  return new FarError(
    'host_key_changed',
    `${who} shows another host key than the one that is known (${fingerprint}): it was refused and nothing was sent. ` +
      `If the machine was set up anew, remove its old key${place === '' ? '' : ` (${place})`} and add it again; otherwise somebody may be in between.`,
    { hostKey: { type, fingerprint }, cause },
  );
}

function unknownKey(who: string, stderr: string, cause: Error): FarError | null {
  // Where it keeps no list at all (UserKnownHostsFile none), `ssh` says no more than that.
  const saysNoMore = /^\s*Host key verification failed\.\s*$/.test(stderr);
  if (!saysNoMore && !/No \S+ host key is known for|host key is known|authenticity of host/i.test(stderr)) {
    return null;
  }
  const hostKey = keyIn(stderr);
  return new FarError(
    'host_key_unknown',
    `${who} is not known yet${hostKey === null ? '' : `; its ${hostKey.type} key is ${hostKey.fingerprint}`}. ` +
      `Compare it with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there), then run: hitch networks add ssh ${who}`,
    { hostKey, cause },
  );
}

/** The key that answered, as `ssh -v` tells. */
export function keyIn(stderr: string): HostKeySeen | null {
  const seen = [...stderr.matchAll(/Server host key: (\S+) (SHA256:\S+)/g)].at(-1);
  const [, algorithm = '', fingerprint = ''] = seen ?? [];
  return seen === undefined
    ? null
    : { type: algorithm.replace(/^ssh-|-cert.*$|^ecdsa-.*-/g, '').toUpperCase(), fingerprint };
}

/** Between `ssh` and a machine that a web address alone leads to, by which it is called, stands `hitch ws-connect`. */
function ourWay(who: string, name: string, stderr: string, cause: Error): FarError | null {
  if (!name.startsWith('https://')) {
    return null;
  }
  const said = /^hitch: (.+)$/m.exec(stderr)?.[1];
  if (said !== undefined) {
    return new FarError('unreachable', `${plain(said)}.`, { cause });
  }
  return /UNKNOWN port 65535|timed out/i.test(stderr) && !/Host key verification failed/.test(stderr)
    ? new FarError('unreachable', `${who} does not answer: ${reasonIn(stderr)}.`, { cause })
    : null;
}

/** A connection through another machine or program has no address of its own: `ssh` calls it UNKNOWN. */
function wayThere(who: string, stderr: string, cause: Error): FarError | null {
  if (!/UNKNOWN port 65535|stdio forwarding failed|proxy command/i.test(stderr)) {
    return null;
  }
  const keyTrouble = /Host key verification failed/.test(stderr) && !/No \S+ host key is known/.test(stderr);
  const why = keyTrouble ? 'its host key is not known or has changed' : reasonIn(stderr);
  return new FarError(
    'jump',
    `The way to ${who} leads over another machine or program (ProxyJump or ProxyCommand in the configuration of ssh), ` +
      `which failed${why === '' ? '' : `: ${why}`}. Check that ssh ${who} works in a terminal.`,
    { cause },
  );
}

function settings(who: string, stderr: string, cause: Error): FarError | null {
  const line =
    /^.*(Bad configuration option|Bad owner or permissions|unsupported option|missing argument|Can't open user config).*$/im.exec(
      stderr,
    )?.[0];
  return line === undefined
    ? null
    : new FarError('no_ssh', `ssh cannot use its configuration for ${who}: ${plain(line)}. Correct it.`, {
        cause,
      });
}

function login(who: string, stderr: string, cause: Error): FarError | null {
  const line = /^.*(Permission denied|Too many authentication failures|No more authentication methods).*$/im
    .exec(stderr)?.[0]
    .trim();
  if (line === undefined) {
    return null;
  }
  return new FarError(
    'login',
    `${who} answers, but lets nobody in: ${plain(line)}. Check the user and the key: ssh ${who} must work in a terminal without a password ` +
      '(a key with a passphrase must be in the agent that Hitch was started with).',
    { cause },
  );
}

/** The first line that says why. */
function reasonIn(stderr: string): string {
  const lines = stderr.split(/\r?\n/).map(line => line.trim());
  const telling = lines.find(line => line !== '' && !ECHOES.test(line));
  return plain(telling ?? lines.find(line => line !== '' && !/^(debug|@)/.test(line)) ?? '');
}

/** Comes from a stranger's machine as often as from `ssh`: one line, no end of its own. */
const plain = (line: string): string => shownName(line.replace(/^ssh: /, '').replace(/[.\s]+$/, ''));

/** Logged in, and no shell ran our program. */
export function noShell(name: string, preface: string, stderr: string): FarError {
  const said = plain(
    [preface, stderr]
      .flatMap(text => text.split('\n'))
      .map(line => line.trim())
      .filter(line => line !== '' && !/^(debug|Warning:)/.test(line))
      .at(-1) ?? '',
  );
  const terminal = /\btty\b|terminal/i.test(`${preface}\n${stderr}`)
    ? ' It wants a terminal, which programs have not.'
    : '';
  const who = shownName(name);
  return new FarError(
    'shell',
    `${who} lets Hitch in, but runs no programs for it${said === '' ? '' : `; it says: ${said}`}.${terminal} ` +
      `Check that ssh ${who} echo ok prints ok in a terminal.`,
  );
}
