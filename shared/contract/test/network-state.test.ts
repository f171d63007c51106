import assert from 'node:assert/strict';
import {
  hostKeyLines,
  loginActions,
  loginLine,
  networkLine,
  adoptLines,
  networkLines,
  notOursLine,
  networkTrouble,
  readMachinePrice,
  sshHostLine,
  taskLines,
} from '../src/network-state.ts';
import { adviceInEditor, networkAccountLines } from '../src/network-words.ts';
import type { Login, MachineTask, NetworkInfo } from '../src/networks.ts';

const NOW = new Date(2026, 10, 22, 14, 5).getTime();

const login = (change: Partial<Login>): Login => ({
  state: 'present',
  fields: [],
  neededFor: { offers: false, rent: true },
  scopes: [],
  keptIn: 'keychain',
  variables: {},
  problem: null,
  ...change,
});

const network = (change: Partial<NetworkInfo>): NetworkInfo => ({
  id: 'vast',
  title: 'Vast',
  kind: 'network',
  verifiedLive: false,
  login: login({}),
  account: null,
  limits: [],
  bills: [],
  notOurs: [],
  machines: null,
  offers: 1_204,
  fetchedAtMs: NOW,
  problem: null,
  ...change,
});

const task = (change: Partial<MachineTask>): MachineTask => ({
  id: 't',
  kind: 'add',
  machine: 'gpu-box',
  state: 'done',
  step: 'Done.',
  hostKey: null,
  seen: null,
  stillThere: [],
  notLooked: null,
  freedMiB: null,
  problem: null,
  ...change,
});

describe('what is said of networks', () => {
  it('says of an account what its network does not say of it', () => {
    const account = {
      id: null,
      name: '',
      scopes: null,
      balanceMicroUsd: null,
      spendLimitPerHourMicroUsd: null,
      lastsUntilMs: null,
      askedAtMs: NOW,
    };
    assert.deepEqual(networkAccountLines(account, NOW), [
      'Account: the network does not say whose the login is',
      'Balance: the network does not say it here; its own pages do',
    ]);
    assert.equal(networkAccountLines({ ...account, name: 'me' }, NOW)[0], 'Account: me');
  });

  it('says of a login where it lies, or what it is needed for', () => {
    assert.equal(loginLine(login({})), 'Logged in, kept in the keychain');
    assert.equal(loginLine(login({ keptIn: 'file' })), 'Logged in, kept in a file that only you can read');
    assert.equal(loginLine(login({ state: 'absent', keptIn: null })), 'Not logged in; needed to rent there');
    const forOffers = { offers: true, rent: true };
    assert.equal(
      loginLine(login({ state: 'absent', keptIn: null, neededFor: forOffers })),
      'Not logged in; needed for its offers',
    );
    assert.equal(loginLine(login({ state: 'refused', problem: 'It was revoked.' })), 'It was revoked.');
    assert.equal(
      loginLine(login({ state: 'absent', keptIn: null, problem: 'An SSH key is left there: hitch-one.' })),
      'Not logged in; needed to rent there. An SSH key is left there: hitch-one.',
    );
  });

  it('offers what can be done about a login', () => {
    assert.deepEqual(loginActions({ login: null }), []);
    assert.deepEqual(loginActions({ login: login({ state: 'absent' }) }), ['login']);
    assert.deepEqual(loginActions({ login: login({ state: 'refused' }) }), ['login', 'test', 'logout']);
  });

  it('says in a line what is wrong before what is there', () => {
    assert.equal(networkLine(network({})), '1,204 offers');
    assert.equal(
      networkLine(network({ problem: 'Vast does not answer.', offers: 1 })),
      'Vast does not answer, 1 offer',
    );
    assert.equal(networkLine(network({ machines: [], login: null, offers: 0 })), '0 machines, 0 offers');
  });

  it('is in no trouble for what it leaves out, nor for a login that nobody gave yet', () => {
    const down = network({ problem: 'Vast does not answer.' });
    assert.equal(networkTrouble(down), 'Vast does not answer.');
    const leaving = network({ problem: 'Offers of Vast are left out: 1 without a price.', isPartOnly: true });
    assert.equal(networkTrouble(leaving), null);
    assert.equal(networkLine(leaving), '1,204 offers');
    assert.ok(networkLines(leaving, NOW).includes('Offers of Vast are left out: 1 without a price.'));
    const forOffers = login({ state: 'absent', neededFor: { offers: true, rent: true } });
    const shut = network({ login: forOffers, problem: 'Vast shows its offers after a login.', offers: 0 });
    assert.equal(networkTrouble(shut), null);
    assert.equal(networkLine(shut), 'Not logged in; needed for its offers, 0 offers');
    const rentOnly = login({ state: 'absent' });
    assert.equal(networkTrouble({ ...down, login: rentOnly }), 'Vast does not answer.');
  });

  it('says all else a line each', () => {
    const bill = {
      clusterId: 'clu_1',
      clusterName: 'llm-dev',
      countedMicroUsd: '1000000',
      billedMicroUsd: '1200000',
      untilMs: NOW,
      warning: 'llm-dev: counted $1.00, billed $1.20.',
    };
    const limit = {
      route: 'offers',
      perMinute: 10,
      usedThisMinute: 3,
      usedToday: 3,
      waiting: 0,
      pausedUntilMs: null,
      why: null,
    };
    const notOurs = {
      id: '4711',
      mark: 'web-1',
      status: 'running',
      pricePerHourMicroUsd: '400000',
      seenAtMs: NOW,
    } as const;
    assert.equal(
      notOursLine(notOurs, NOW),
      'Not ours, never touched: web-1 (4711), running, $0.40/h, seen 14:05',
    );
    const how = (canBeSetUp?: 'by_network' | 'with_key') =>
      adoptLines({ id: 'vast', notOurs: [canBeSetUp === undefined ? notOurs : { ...notOurs, canBeSetUp }] });
    const counted = 'To have Hitch count it and end it: hitch adopt vast 4711';
    assert.deepEqual(how(), [counted]);
    assert.deepEqual(how('by_network'), [`${counted} (to work on it too: --set-up)`]);
    assert.deepEqual(how('with_key'), [`${counted} (to work on it too: --identity FILE)`]);
    assert.deepEqual(networkLines(network({ bills: [bill], notOurs: [notOurs], limits: [limit] }), NOW), [
      'Logged in, kept in the keychain',
      '⚠ llm-dev: counted $1.00, billed $1.20.',
      'Offers of 14:05',
      'This network is not yet verified live',
      'May be asked: offers: 3 of 10 this minute',
    ]);
  });

  it('says what a machine is, whose key is asked for, and what came of a task', () => {
    assert.equal(
      sshHostLine({ name: 'box', user: 'me', address: '10.0.0.2', isAdded: true }),
      'me@10.0.0.2, on your list',
    );
    assert.equal(sshHostLine({ name: 'box', user: null, address: null, isAdded: false }), '');
    assert.match(hostKeyLines('box', { type: 'ED25519', fingerprint: 'SHA256:x' })[0] ?? '', /SHA256:x/);
    assert.deepEqual(taskLines(task({ kind: 'remove', stillThere: [{ ref: 'hitch-a', by: 'me@laptop' }] })), [
      'Removed gpu-box from the list.',
      'Still running there: hitch-a, of me@laptop',
    ]);
    assert.deepEqual(taskLines(task({ kind: 'remove', notLooked: 'gpu-box does not answer.' })), [
      'Removed gpu-box from the list.',
      '⚠ Could not look what still runs there: gpu-box does not answer.',
    ]);
    assert.deepEqual(taskLines(task({ kind: 'clean', freedMiB: 12 })), [
      'Removed Hitch’s packages from gpu-box: 12 MiB.',
    ]);
  });

  it('reads a price as it is typed, and leaves it as it is where nothing is', () => {
    assert.deepEqual(readMachinePrice(' $0.50 '), { pricePerHourMicroUsd: '500000' });
    assert.deepEqual(readMachinePrice('0'), { pricePerHourMicroUsd: '0' });
    assert.deepEqual(readMachinePrice(''), {});
    assert.ok('problem' in readMachinePrice('cheap'));
  });
});

describe('what the daemon advises about a login', () => {
  it('names the button in an editor, and leaves other commands alone', () => {
    assert.equal(
      adviceInEditor('Check the login, and log in again: hitch networks login vast'),
      'Check the login, and log in again: “Log in…” under Networks',
    );
    assert.equal(
      adviceInEditor('Log in there (hitch networks login), choose another network.'),
      'Log in there (“Log in…” under Networks), choose another network.',
    );
    const other = 'see “hitch networks login vast --other-account”.';
    assert.equal(adviceInEditor(other), other);
  });
});
