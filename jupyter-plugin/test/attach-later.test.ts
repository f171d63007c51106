/** A notebook that moves when its cluster is ready, and the cell that runs there: in whatever order things come. */
import assert from 'node:assert/strict';
import type { Cluster, ClusterId } from '@hitch/contract';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { AttachLater, type AttachLaterOptions } from '../src/quick/attach-later.ts';
import type { Moved } from '../src/run-on/move.ts';
import type { IHitch } from '../src/tokens.ts';

const ID = 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV' as ClusterId;
const PATH = 'train.ipynb';
const CELL = 'cell-0';

/** What {@link AttachLater} reads of a cluster. */
const cluster = (kernel: 'yes' | 'no', endedAtMs: number | null = null) =>
  ({ id: ID, name: 'far', endedAtMs, conditions: { kernel: { status: kernel } } }) as unknown as Cluster;

class Tab {
  readonly kept = new Map<string, string>();
  readonly ran: string[] = [];
  moved: Moved = 'there';
  hasRun = false;
  /** Ends the run of a cell; null: it ends at once. */
  running: Promise<void> | null = null;

  /** The page as it is loaded: with this list, and with a notebook that is there already or comes later. */
  load(clusters: readonly Cluster[] | null) {
    const changed = new Signal<object, void>({});
    const known = { clusters: clusters ?? [], providers: clusters === null ? [] : [{}], changed };
    const widgetAdded = new Signal<object, NotebookPanel>({});
    const panels: NotebookPanel[] = [];
    const notebooks = {
      widgetAdded,
      forEach: (see: (panel: NotebookPanel) => void) => panels.forEach(see),
      find: (fits: (panel: NotebookPanel) => boolean) => panels.find(fits),
    };
    const kernelChanged = new Signal<object, unknown>({});
    const here = { isThere: false };
    const options: AttachLaterOptions = {
      hitch: known as unknown as IHitch,
      notebooks: notebooks as unknown as INotebookTracker,
      storage: {
        getItem: key => this.kept.get(key) ?? null,
        setItem: (key, value) => this.kept.set(key, value),
      },
      isThere: () => here.isThere,
      move: () => Promise.resolve(here.isThere ? 'there' : this.moved),
      run: (_, { model }) => {
        this.ran.push(model.id);
        return this.running ?? Promise.resolve();
      },
      hasRun: () => Promise.resolve(this.hasRun),
    };
    const later = new AttachLater(options);
    return {
      later,
      list: async (...latest: readonly Cluster[]) => {
        Object.assign(known, { clusters: latest, providers: [{}] });
        changed.emit();
        await settled();
      },
      open: async () => {
        const panel = {
          isDisposed: false,
          content: { widgets: [{ model: { id: CELL } }] },
          context: {
            path: PATH,
            isReady: true,
            ready: Promise.resolve(),
            pathChanged: new Signal({}),
            sessionContext: { kernelChanged },
          },
        };
        panels.push(panel as unknown as NotebookPanel);
        widgetAdded.emit(panel as unknown as NotebookPanel);
        await settled();
      },
      getKernel: async () => {
        here.isThere = true;
        kernelChanged.emit(null);
        await settled();
      },
    };
  }
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('a notebook that moves to what is being rented', () => {
  it('waits although the list says for a while yet that the cluster has ended before', async () => {
    const tab = new Tab();
    const page = tab.load([cluster('no', 7)]);
    await page.open();
    page.later.add(ID, PATH, CELL, 7);
    assert.equal(page.later.clusterOf(PATH)?.name, 'far');
    await page.list(cluster('no'));
    await page.list(cluster('yes'));
    assert.deepEqual(tab.ran, [CELL]);
    assert.equal(page.later.clusterOf(PATH), undefined);
  });

  it('waits for a new cluster that no list has yet', async () => {
    const tab = new Tab();
    const page = tab.load([]);
    await page.open();
    page.later.add(ID, PATH, CELL, null);
    await page.list();
    await page.list(cluster('yes'));
    assert.deepEqual(tab.ran, [CELL]);
  });

  it('waits no longer once the cluster has ended again, or was removed', async () => {
    for (const end of [[cluster('no', 9)], []]) {
      const tab = new Tab();
      const page = tab.load([cluster('no', 7)]);
      await page.open();
      page.later.add(ID, PATH, CELL, 7);
      await page.list(cluster('no'));
      await page.list(...end);
      await page.list(cluster('yes'));
      assert.deepEqual(tab.ran, []);
    }
  });

  it('keeps its promise in the page after this one, whether the notebook or the list comes first', async () => {
    for (const first of ['notebook', 'list']) {
      const tab = new Tab();
      tab.load([cluster('no', 7)]).later.add(ID, PATH, CELL, 7);
      const page = tab.load(null);
      await (first === 'notebook' ? page.open() : page.list(cluster('yes')));
      assert.deepEqual(tab.ran, []);
      await (first === 'notebook' ? page.list(cluster('yes')) : page.open());
      assert.deepEqual(tab.ran, [CELL], first);
    }
  });

  it('runs the cell in the page after this one where it was about to, and never twice', async () => {
    for (const hasRun of [false, true]) {
      const tab = new Tab();
      tab.running = new Promise(() => undefined);
      const before = tab.load([cluster('yes')]);
      await before.open();
      before.later.add(ID, PATH, CELL, null);
      await settled();
      assert.deepEqual(tab.ran, [CELL]);
      assert.equal(before.later.clusterOf(PATH), undefined, 'it is there, and waits no more');
      tab.hasRun = hasRun;
      tab.running = null;
      const page = tab.load([cluster('yes')]);
      await page.open();
      assert.deepEqual(tab.ran, hasRun ? [CELL] : [CELL, CELL]);
      const last = tab.load([cluster('yes')]);
      await last.open();
      assert.equal(tab.ran.length, hasRun ? 1 : 2, 'the promise is kept');
    }
  });

  it('does not try again by itself what failed, and runs the cell when the kernel is there after all', async () => {
    const tab = new Tab();
    tab.moved = 'failed';
    const page = tab.load([cluster('yes')]);
    await page.open();
    page.later.add(ID, PATH, CELL, null);
    await settled();
    assert.equal(page.later.clusterOf(PATH), undefined);
    tab.moved = 'there';
    await page.list(cluster('yes'));
    assert.deepEqual(tab.ran, []);
    await page.getKernel();
    assert.deepEqual(tab.ran, [CELL]);
  });

  it('forgets what a person declined', async () => {
    const tab = new Tab();
    tab.moved = 'declined';
    const page = tab.load([cluster('yes')]);
    await page.open();
    page.later.add(ID, PATH, CELL, null);
    await settled();
    await page.getKernel();
    assert.deepEqual(tab.ran, []);
  });
});
