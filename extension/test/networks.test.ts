import assert from 'node:assert/strict';
import type { NetworkInfo } from '@hitch/contract';
import {
  foreignOfRow,
  machineOfRow,
  networkOfRow,
  networkRow,
  rowsBelowNetwork,
} from '../src/networks/rows.ts';
import { NOW } from './sample.ts';

const network = (change: Partial<NetworkInfo> = {}): NetworkInfo => ({
  id: 'vast',
  title: 'Vast',
  kind: 'network',
  verifiedLive: true,
  login: null,
  account: null,
  limits: [],
  bills: [],
  notOurs: [],
  machines: null,
  offers: 1,
  fetchedAtMs: null,
  problem: null,
  ...change,
});

const login = (state: 'present' | 'absent' | 'refused'): NetworkInfo['login'] => ({
  state,
  fields: [{ name: 'apiKey', label: 'API key', secret: true, help: null, url: null }],
  neededFor: { offers: false, rent: true },
  scopes: [],
  keptIn: state === 'present' ? 'keychain' : null,
  variables: {},
  problem: state === 'refused' ? 'Vast does not accept this key any more.' : null,
});

describe('the rows of the Networks view', () => {
  it('say first what is wrong, and carry what can be done about it', () => {
    const row = networkRow(network({ login: login('absent') }), NOW);
    assert.equal(row.description, 'Not logged in; needed to rent there, 1 offer');
    assert.equal(row.contextValue, 'network;login');
    assert.equal(row.icon?.name, 'key');
    assert.equal(row.spoken, 'Network Vast: Not logged in; needed to rent there, 1 offer');
    const refused = networkRow(network({ login: login('refused') }), NOW);
    assert.equal(refused.description, 'Vast does not accept this key any more, 1 offer');
    assert.equal(refused.icon?.name, 'warning');
    assert.equal(refused.contextValue, 'network;login;test;logout');
  });

  it('show each machine that is not ours, unless a person left it alone', () => {
    const machine = {
      id: '4711',
      mark: 'web-1',
      status: 'running',
      pricePerHourMicroUsd: '400000',
      seenAtMs: NOW,
    } as const;
    const vast = network({ notOurs: [machine] });
    const [row] = rowsBelowNetwork(vast, NOW);
    assert.deepEqual([row?.label, row?.description], ['web-1 (4711)', 'not ours, running, $0.40/h']);
    assert.equal(row?.contextValue, 'foreign');
    assert.equal(foreignOfRow(row.id, [vast])?.machine, machine);
    assert.equal(foreignOfRow('foreign:vast:4712', [vast]), null);
    const [hidden, ...others] = rowsBelowNetwork(vast, NOW, new Set([row.id]));
    assert.equal(hidden?.label, '1 left alone and not ours: show');
    assert.deepEqual(hidden.command, { id: 'hitch.foreign.show', argument: 'network:vast' });
    assert.deepEqual(others, []);
  });

  it('offer the login below a network that lacks one, and say who one is where there is one', () => {
    const below = rowsBelowNetwork(network({ login: login('absent') }), NOW);
    assert.deepEqual(
      below.map(({ label }) => label),
      ['Not logged in; needed to rent there', 'Log In…'],
    );
    assert.deepEqual(below.at(-1)?.command, { id: 'hitch.networks.login', argument: 'network:vast' });
    const account = {
      id: '42',
      name: 'me',
      scopes: ['rent'],
      balanceMicroUsd: '18550000',
      spendLimitPerHourMicroUsd: null,
      lastsUntilMs: null,
      askedAtMs: NOW,
    };
    const known = rowsBelowNetwork(network({ login: login('present'), account }), NOW);
    assert.deepEqual(
      known.map(({ label }) => label),
      ['Logged in, kept in the keychain', 'Account: me (42)', 'The key may: rent', 'Balance: $18.55'],
    );
  });

  it('show a person’s machines with their price, and the way to another one', () => {
    const own = network({
      id: 'ssh',
      kind: 'own',
      machines: [{ name: 'gpu-box', pricePerHourMicroUsd: '500000' }],
    });
    assert.equal(networkRow(own, NOW).description, '1 machine, 1 offer');
    const [machine, add] = rowsBelowNetwork(own, NOW);
    assert.equal(machine?.description, '$0.50/h');
    assert.equal(machineOfRow(machine?.id), 'gpu-box');
    assert.equal(add?.command?.id, 'hitch.machines.add');
    assert.equal(rowsBelowNetwork(network(), NOW).length, 0);
  });

  it('are told apart by their ids', () => {
    assert.equal(networkOfRow('network:vast'), 'vast');
    assert.equal(networkOfRow('machine:vast'), null);
    assert.equal(machineOfRow('network:vast'), null);
    assert.equal(machineOfRow(undefined), null);
  });
});
