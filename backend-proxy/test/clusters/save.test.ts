import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import { Practice } from './practice.ts';

const HOUR = 3_600_000;

describe('saving before a cluster is destroyed', function () {
  // Days of virtual time go by in some of them.
  this.timeout(60_000);

  const stopped = async (practice: Practice, skipSave = false) => {
    const { id } = await practice.rent({ save: { paths: ['model', 'log.txt'], toFolder: '/tmp/mine' } });
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave }));
    return id;
  };
  const eventOf = async (practice: Practice, id: Awaited<ReturnType<typeof stopped>>, value: string) =>
    (await practice.pass(practice.service.events(id, 0, 1000))).find(event => event.value === value);

  it('keeps the head until everything is here, and says where', async () => {
    const during: number[] = [];
    const practice: Practice = new Practice({
      files: async () => {
        during.push(practice.billing().length);
        return { copiedFiles: 2, copiedBytes: 3_000_000 };
      },
    });
    await practice.open();
    const id = await stopped(practice);
    const over = await practice.untilPhase(id, 'stopped');
    assert.deepEqual(during, [1]);
    assert.deepEqual(over.saved, ['/tmp/mine/model', '/tmp/mine/log.txt']);
    assert.match((await eventOf(practice, id, '2'))?.message ?? '', /^Saved 2 files, 3 MB to \/tmp\/mine\.$/);
    practice.close();
  });

  it('names what is missing in a warning that stays on the record', async () => {
    const names = [{ path: 'model/secret', detail: 'permission denied' }];
    const practice = await new Practice({
      files: async () => ({ copiedFiles: 1, copiedBytes: 1, outcomes: { unreadable: { count: 1, names } } }),
    }).open();
    const id = await stopped(practice);
    await practice.untilPhase(id, 'stopped');
    const warning = await eventOf(practice, id, 'not_saved');
    assert.equal(warning?.kind, 'warning');
    assert.match(
      warning?.message ?? '',
      /^Not everything of .* was saved: 1 unreadable: model\/secret \(permission denied\)\.$/,
    );
    practice.close();
  });

  it('says of a path that is not there that it is not there', async () => {
    const names = [{ path: 'model', detail: '' }];
    const practice = await new Practice({
      files: async () => ({ copiedFiles: 1, copiedBytes: 1, outcomes: { gone: { count: 1, names } } }),
    }).open();
    const id = await stopped(practice);
    await practice.untilPhase(id, 'stopped');
    assert.equal(
      (await eventOf(practice, id, 'not_saved'))?.message,
      'Could not save “model”: no such file or folder in ~/work.',
    );
    assert.deepEqual(practice.service.get(id).saved, ['/tmp/mine/log.txt'], 'nor is it among what was saved');
    practice.close();
  });

  it('waits for a save that hangs until the last moment that leaves room in the cap for destroying', async () => {
    const practice = await new Practice({ files: () => new Promise(() => undefined) }).open();
    const id = await stopped(practice);
    await practice.run(HOUR);
    assert.equal(practice.service.get(id).phase, 'stopping');
    assert.notEqual(practice.service.get(id).saving, null);
    assert.equal(practice.billing().length, 1);
    await practice.until(() => practice.service.get(id).phase === 'stopped', 400 * HOUR);
    const { usage } = practice.service.get(id);
    assert.ok(BigInt(usage.accruedMicroUsd) <= BigInt(usage.capMicroUsd));
    assert.match(
      (await eventOf(practice, id, 'not_saved'))?.message ?? '',
      /time kept back for saving is over/,
    );
    practice.close();
  });

  it('is ended by a person who does not want to wait', async () => {
    const practice = await new Practice({ files: () => new Promise(() => undefined) }).open();
    const id = await stopped(practice);
    await practice.run(60_000);
    assert.equal(practice.service.get(id).phase, 'stopping');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    assert.match((await eventOf(practice, id, 'not_saved'))?.message ?? '', /was cancelled/);
    practice.close();
  });

  it('is left out when the person says so', async () => {
    let asked = 0;
    const practice = await new Practice({
      files: async () => {
        asked += 1;
        return {};
      },
    }).open();
    const id = await stopped(practice, true);
    await practice.untilPhase(id, 'stopped');
    assert.equal(asked, 0);
    practice.close();
  });

  it('does not wait for a head whose agent never spoke', async () => {
    let asked = 0;
    const practice = await new Practice({
      bootDelayMs: 10 * 60_000,
      files: async () => {
        asked += 1;
        return {};
      },
    }).open();
    const { id } = await practice.rent({ save: { paths: ['model'], toFolder: '/tmp/mine' } });
    await practice.until(() => practice.billing().length === 1);
    await practice.pass(practice.service.stop(id, { skipSave: false }));
    await practice.untilPhase(id, 'stopped');
    assert.equal(asked, 0);
    practice.close();
  });

  it('takes what is named with the stop too, also while it goes on', async () => {
    const seen: (readonly string[])[] = [];
    const practice: Practice = new Practice({
      files: async ({ paths }) => {
        seen.push(paths);
        await practice.clock.sleep(60_000);
        return { copiedFiles: 1, copiedBytes: 1 };
      },
    });
    await practice.open();
    const { id } = await practice.rent({ save: { paths: ['model'], toFolder: '/tmp/mine' } });
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: false, savePaths: ['plots'] }));
    await practice.run(30_000);
    await practice.pass(practice.service.stop(id, { skipSave: false, savePaths: ['late'] }));
    await practice.untilPhase(id, 'stopped');
    assert.deepEqual(seen, [
      ['model', 'plots'],
      ['model', 'plots', 'late'],
    ]);
    await assert.rejects(
      practice.pass(practice.service.stop(id, { skipSave: false, savePaths: ['too-late'] })),
      /nothing more can be saved/,
    );
    practice.close();
  });

  it('goes on in the next daemon when one ends in the middle', async () => {
    let asked = 0;
    const practice: Practice = new Practice({
      files: async (_, signal) => {
        asked += 1;
        await practice.clock.sleep(asked === 1 ? 60_000 : 1_000, signal);
        return { copiedFiles: 1, copiedBytes: 1 };
      },
    });
    await practice.open();
    const id = await stopped(practice);
    await practice.run(20_000);
    practice.close();
    await practice.open();
    await practice.untilPhase(id, 'stopped');
    assert.equal(asked, 2);
    practice.close();
  });

  it('says why it does not go on, as a sentence', async () => {
    const practice = await new Practice({
      files: () =>
        Promise.reject(new HitchError('STORAGE_FULL', 'Cannot write /tmp/mine: the disk is full.')),
    }).open();
    const id = await stopped(practice);
    await practice.untilPhase(id, 'stopped');
    assert.match((await eventOf(practice, id, 'not_saved'))?.message ?? '', /the disk is full/);
    practice.close();
  });
});

describe('Save now', () => {
  it('begins a copy that is followed, and writes down what it brought', async () => {
    const practice = await new Practice({ files: async () => ({ copiedFiles: 3, copiedBytes: 10 }) }).open();
    const { id } = await practice.rent({ save: { paths: [], toFolder: '/tmp/mine' } });
    await practice.untilPhase(id, 'ready');
    await assert.rejects(practice.pass(practice.service.save(id)), /were chosen to be saved/);
    const copy = await practice.pass(practice.service.save(id, ['plots']));
    assert.deepEqual([copy.kind, copy.sources, copy.target], ['save', ['plots'], '/tmp/mine']);
    await practice.until(() => practice.service.get(id).saved.length === 1);
    assert.deepEqual(practice.service.get(id).saved, ['/tmp/mine/plots']);
    practice.close();
  });
});
