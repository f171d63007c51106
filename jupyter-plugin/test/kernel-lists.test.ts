import assert from 'node:assert/strict';
import { LastKnown } from '../src/kernels/last-known.ts';
import { ghostSpec, icon, isGhost, isRemoteName, kernelName, readKernelName } from '../src/kernels/names.ts';
import { asKeptThere, asSeenHere, hidesScope, readScope, scopeOf, withScope } from '../src/kernels/scope.ts';

interface Item {
  readonly id: string;
}

/** A list whose server answers, fails or says nothing, as the test wishes. */
function list(answer: () => Promise<readonly Item[]>) {
  let nowMs = 0;
  let changes = 0;
  const timers: (() => void)[] = [];
  const known = new LastKnown<Item>({
    fetch: answer,
    idOf: ({ id }) => id,
    changed: () => (changes += 1),
    now: () => (nowMs += 10_000),
    later: run => {
      timers.push(run);
      return () => undefined;
    },
  });
  return { known, changes: () => changes, timers };
}

describe('the list of a place that may be away', () => {
  it('is the last known one after a failure, and never empty for it', async () => {
    let answer: () => Promise<readonly Item[]> = () => Promise.resolve([{ id: 'a' }]);
    const { known } = list(() => answer());
    assert.equal(known.known, false);
    assert.deepEqual(await known.list(), [{ id: 'a' }]);
    answer = () => Promise.reject(new TypeError('down'));
    assert.deepEqual(await known.list(), [{ id: 'a' }]);
    assert.equal(known.failed, true);
    answer = () => Promise.resolve([]);
    assert.deepEqual(await known.list(), []);
  });

  it('does not wait for a place that hangs, and tells what came late', async () => {
    const late: { release?: (items: readonly Item[]) => void } = {};
    const { known, changes } = list(() => new Promise(resolve => (late.release = resolve)));
    assert.deepEqual(await known.list(), []);
    assert.equal(known.known, false);
    late.release?.([{ id: 'late' }]);
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(known.items, [{ id: 'late' }]);
    assert.equal(changes(), 1);
  });

  it('asks a place that has never answered again by itself, and tells its first answer', async () => {
    let answer: () => Promise<readonly Item[]> = () => Promise.reject(new TypeError('down'));
    const { known, changes, timers } = list(() => answer());
    await known.list();
    assert.equal(timers.length, 1);
    answer = () => Promise.resolve([{ id: 'at last' }]);
    timers[0]?.();
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(known.items, [{ id: 'at last' }]);
    assert.equal(changes(), 1);
  });

  it('does not lose what was made while an older question was under way', async () => {
    const late: { release?: (items: readonly Item[]) => void } = {};
    const { known } = list(() => new Promise(resolve => (late.release = resolve)));
    const asked = known.list();
    known.put({ id: 'made here' });
    late.release?.([]);
    await asked;
    assert.deepEqual(known.items, [{ id: 'made here' }]);
  });
});

describe('the names of kernels on clusters', () => {
  it('hold the cluster and the kernel there', () => {
    assert.equal(kernelName('llm-dev', 'python3'), 'hitch-llm-dev--python3');
    assert.deepEqual(readKernelName('hitch-llm-dev--python3'), { cluster: 'llm-dev', spec: 'python3' });
    assert.equal(readKernelName('python3'), null);
    assert.equal(isRemoteName('hitch-x--y'), true);
    assert.equal(isRemoteName(undefined), false);
  });

  it('have a stand-in when the cluster is gone, with a picture of its own', () => {
    const ghost = ghostSpec('hitch-llm-dev--python3', 'python');
    assert.equal(isGhost(ghost), true);
    assert.equal(isGhost({ ...ghost, metadata: {} }), false);
    assert.match(ghost.display_name, /llm-dev/);
    assert.match(icon('python'), /^data:image\/svg\+xml,/);
  });
});

describe('whose session a session is', () => {
  it('is read from its name, and the name shown is the plain one', () => {
    const mine = scopeOf('~/work');
    const marked = withScope('train.ipynb', mine);
    assert.deepEqual(readScope(marked), { name: 'train.ipynb', scope: mine });
    assert.equal(withScope(marked, mine), marked);
    assert.equal(hidesScope(marked, mine), false);
    assert.equal(hidesScope(marked, scopeOf('~/other')), true);
    assert.equal(hidesScope('train.ipynb', mine), true);
  });

  it('keeps a document on the cluster’s drive apart, and its folder found there', () => {
    const mine = scopeOf('~/work');
    const there = { path: 'llm-dev:nb/train.ipynb', name: 'train.ipynb' };
    const kept = asKeptThere(there, 'llm-dev', mine);
    assert.equal(kept.path, 'nb/train.ipynb');
    assert.equal(hidesScope(kept.name, mine), false);
    assert.deepEqual(asSeenHere(kept, 'llm-dev'), there);
    const here = { path: 'nb/train.ipynb', name: 'train.ipynb' };
    assert.deepEqual(asSeenHere(asKeptThere(here, 'llm-dev', mine), 'llm-dev'), here);
    assert.equal(asKeptThere(there, 'other', mine).path, there.path);
  });
});
