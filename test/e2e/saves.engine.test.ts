/**
 * What is saved before a stop while everything dies: all that was named is here before the machine is gone. `HITCH_SEED=7`
 * draws one tree again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '@hitch/contract';
import { problemsOf } from '../../shared/transfer/test/support/arrival.ts';
import { Chance } from '../../shared/transfer/test/support/chance.ts';
import { removeTree } from '../../shared/transfer/test/support/disk-view.ts';
import { makeRandomTree, type RandomTree } from '../../shared/transfer/test/support/random-tree.ts';
import { accountOf } from '../support/account-of.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { delay, until } from '../support/waiting.ts';

const SEED = Number(process.env['HITCH_SEED'] ?? 1);
const ENTRIES = 2_500;
/** The daemon leaves so much free on a disk in any case; and more than such a tree takes. */
const DISK_BYTES = (64 + 160) * 1024 * 1024;

describe('saves before a stop while everything dies', function () {
  this.timeout(600_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });
  let folder = '';

  before(async function () {
    needsRealNodes(this);
    console.log(`      seed ${SEED.toString()} (HITCH_SEED=${SEED.toString()} draws the same)`);
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'he-saves-')));
    await home.start();
  });

  after(async () => {
    await home.dispose();
    if (folder !== '') {
      removeTree(folder);
    }
  });

  /** A cluster whose `results` go to a folder, with a tree in them, and a log that grows as long as it can. */
  const fill = async (
    toFolder: string,
    name: string,
  ): Promise<{ saving: Cluster; results: string; kept: string }> => {
    const { id } = await home.rent({ idleMs: 0, save: { paths: ['results'], toFolder } }, name);
    const saving = await home.untilKernel(id);
    const results = join(home.workOf(saving), 'results');
    await makeRandomTree(new Chance(SEED), {
      folder: home.workOf(saving),
      name: 'results',
      entries: ENTRIES,
      large: 4,
    });
    appendFileSync(join(results, 'train.log'), 'begun\n');
    // The machine goes with all that is on it: what it held is compared with this.
    const kept = join(folder, `kept-${name}`);
    mkdirSync(kept);
    await promisify(execFile)('cp', ['-a', results, join(home.workOf(saving), 'outside'), kept]);
    return { saving, results, kept };
  };

  /** After it is over, what was there is put where it was, so that links lead where they led. */
  const checkSaved = async (
    toFolder: string,
    { saving, results, kept }: Awaited<ReturnType<typeof fill>>,
    log: string,
  ): Promise<void> => {
    const saves = (await home.api.copies.list({ clusterId: saving.id })).filter(
      ({ kind }) => kind === 'save',
    );
    const [save] = saves;
    assert.ok(save);
    assert.equal(save.state, 'done', JSON.stringify(save.problem));
    const saved = readFileSync(join(toFolder, 'results', 'train.log'), 'utf8');
    assert.ok(log.startsWith(saved) && saved.length > 0, 'the log is here as it was at some moment');
    const work = join(results, '..');
    mkdirSync(work, { recursive: true });
    try {
      renameSync(join(kept, 'results'), results);
      renameSync(join(kept, 'outside'), join(work, 'outside'));
      rmSync(join(results, 'train.log'));
      rmSync(join(toFolder, 'results', 'train.log'));
      const tree: RandomTree = {
        root: results,
        outside: join(work, 'outside'),
        folders: [],
        files: [],
        large: [],
        links: [],
        pipes: [],
      };
      const account = await accountOf(home.api, save, 'results');
      const problems = problemsOf({
        tree,
        account,
        earlier: [],
        wasCutShort: true,
        target: join(toFolder, 'results'),
        base: toFolder,
        follow: false,
        changes: [],
        inTheWay: null,
        conflict: 'keep-both',
        done: true,
      }).filter(problem => !/^"" /.test(problem));
      assert.deepEqual(problems.slice(0, 40), []);
    } finally {
      removeTree(join(work, '..'));
    }
  };

  /** As a training goes on writing until its machine is gone. */
  const growing = (file: string): { stop: () => string } => {
    let text = readFileSync(file, 'utf8');
    const timer = setInterval(() => {
      const line = `epoch ${text.length.toString()} loss 0.${text.length.toString()}\n`;
      try {
        appendFileSync(file, line);
        text += line;
      } catch {
        clearInterval(timer);
      }
    }, 5);
    return {
      stop: () => {
        clearInterval(timer);
        return text;
      },
    };
  };

  it('save all that was named, a log that grows too, though the agent is killed and the daemon after it', async () => {
    const toFolder = join(folder, 'saved');
    const filled = await fill(toFolder, 'dying');
    const log = growing(join(filled.results, 'train.log'));
    await home.api.clusters.stop({ clusterId: filled.saving.id, skipSave: false });
    const far = await until('the save is under way', async () => {
      const { saving, phase } = await home.cluster(filled.saving.id);
      const { doneFiles = 0, files = 0 } = saving ?? {};
      return doneFiles > 0 || phase === 'stopped'
        ? `${doneFiles.toString()} of ${files.toString()} files`
        : null;
    });
    console.log(`        killed at ${far}`);
    await home.killAgent(filled.saving);
    await delay(500);
    await home.kill();
    await home.start();
    const over = await home.untilOver(filled.saving.id, 300_000);
    assert.equal(over.phase, 'stopped', over.message);
    await checkSaved(toFolder, filled, log.stop());
  });

  it('wait with a disk that is full until it has room, and the machine waits with them', async function () {
    const disk = SmallDisk.mount(this, DISK_BYTES);
    try {
      const filled = await fill(disk.folder, 'waiting');
      disk.fill();
      await home.api.clusters.stop({ clusterId: filled.saving.id, skipSave: false });
      await until('it says that there is no room', async () => {
        const { saving } = await home.cluster(filled.saving.id);
        return saving?.problem?.includes('no room') === true;
      });
      assert.equal((await home.cluster(filled.saving.id)).phase, 'stopping');
      disk.empty();
      const over = await home.untilOver(filled.saving.id, 300_000);
      assert.equal(over.phase, 'stopped', over.message);
      await checkSaved(disk.folder, filled, 'begun\n');
    } finally {
      disk.unmount();
    }
  });

  it('wait while something else stands where the files are to go', async () => {
    const toFolder = join(folder, 'taken');
    const filled = await fill(toFolder, 'barred');
    writeFileSync(toFolder, 'a file of the person');
    await home.api.clusters.stop({ clusterId: filled.saving.id, skipSave: false });
    await until('it says what is in the way', async () => {
      const { saving } = await home.cluster(filled.saving.id);
      return saving?.problem?.includes('should be a folder') === true;
    });
    assert.equal((await home.cluster(filled.saving.id)).phase, 'stopping');
    rmSync(toFolder);
    const over = await home.untilOver(filled.saving.id, 300_000);
    assert.equal(over.phase, 'stopped', over.message);
    await checkSaved(toFolder, filled, 'begun\n');
  });
});
