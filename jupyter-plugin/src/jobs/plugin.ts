/** Jobs: a tab for each that is opened, and *Run as job…* on files, notebooks and cells. */
import type { JobId } from '@hitch/contract';
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { depsOf, type Deps } from '../actions/deps.ts';
import { NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { targetCluster } from '../actions/target.ts';
import { localPathOf } from '../files/local-files.ts';
import { canRunOn } from '../run-on/targets.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { gpusIcon } from '../ui/icons.ts';
import { placeTab } from '../ui/place.ts';
import { setTitle } from '../ui/text.ts';
import type { CompareView } from './compare.ts';
import type { JobView } from './tab.ts';

type Tab = MainAreaWidget<JobView>;

const PREFIX = 'jp-hitch-job-';
const ITEM = '.jp-DirListing-item[data-isdir="false"]';
const FILE = /\.(?:py|sh|ipynb)$/i;

export const jobsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:jobs',
  description:
    'Runs files, notebooks and cells on a GPU cluster as jobs that go on when this page is closed.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [
    IFileBrowserFactory,
    IDefaultFileBrowser,
    INotebookTracker,
    ITranslator,
    ILabShell,
    ILayoutRestorer,
    ICommandPalette,
  ],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    factory: IFileBrowserFactory | null,
    browser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const tracker = new WidgetTracker<Tab>({ namespace: 'jupyterlab-hitch-jobs' });
    const folder = (): string => localPathOf(app.serviceManager.contents, browser?.model.path ?? '') ?? '';
    addOpen(app, deps, { tracker, labShell, folder });
    addCompare(app, deps, labShell);
    addRun(app, deps, { factory, notebooks });
    void restorer?.restore(tracker, {
      command: NEIGHBOURS.openJob,
      args: ({ id }) => ({ jobId: id.slice(PREFIX.length) }),
      name: ({ id }) => id,
    });
    const category = paletteCategory(deps.trans);
    palette?.addItem({ command: NEIGHBOURS.runAsJob, category });
    palette?.addItem({ command: NEIGHBOURS.runCellAsJob, category });
    app.contextMenu.addItem({ command: NEIGHBOURS.runAsJob, selector: ITEM, rank: 13 });
    app.contextMenu.addItem({
      command: NEIGHBOURS.runAsJob,
      args: { notebook: true },
      selector: '.jp-Notebook',
      rank: 22,
    });
    app.contextMenu.addItem({
      command: NEIGHBOURS.runCellAsJob,
      selector: '.jp-Notebook .jp-CodeCell',
      rank: 21,
    });
  },
};

interface Opening {
  readonly tracker: WidgetTracker<Tab>;
  readonly labShell: ILabShell | null;
  readonly folder: () => string;
}

async function makeTab(deps: Deps, id: JobId, folder: () => string): Promise<Tab> {
  const { JobView } = await import('./tab.ts');
  const tab = new MainAreaWidget({ content: new JobView(deps, id, folder) });
  tab.id = `${PREFIX}${id}`;
  tab.title.icon = gpusIcon;
  setTitle(tab.title, deps.trans.__('Job'));
  tab.title.closable = true;
  return tab;
}

function addOpen(app: JupyterFrontEnd, deps: Deps, { tracker, labShell, folder }: Opening): void {
  const { commands, trans } = deps;
  commands.addCommand(NEIGHBOURS.openJob, {
    label: trans.__('Show a Job'),
    describedBy: {
      args: {
        type: 'object',
        properties: { jobId: { type: 'string', description: trans.__('The job’s id.') } },
        required: ['jobId'],
      },
    },
    execute: async args => {
      const { jobIdSchema } = await import('@hitch/contract');
      const { data: id } = jobIdSchema.safeParse(args['jobId']);
      if (id === undefined) {
        return null;
      }
      let tab = tracker.find(each => each.id === `${PREFIX}${id}`);
      if (tab === undefined) {
        tab = await makeTab(deps, id, folder);
        await tracker.add(tab);
      }
      placeTab(app, labShell, tab);
      return tab;
    },
  });
}

function addCompare(app: JupyterFrontEnd, { trans, ...deps }: Deps, labShell: ILabShell | null): void {
  const open = new Map<string, MainAreaWidget<CompareView>>();
  deps.commands.addCommand(NEIGHBOURS.compareJobs, {
    label: trans.__('Compare Two Jobs'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          one: { type: 'string', description: trans.__('The id of a job.') },
          other: { type: 'string', description: trans.__('The id of the other.') },
        },
        required: ['one', 'other'],
      },
    },
    execute: async args => {
      const { jobIdSchema } = await import('@hitch/contract');
      const [{ data: one }, { data: other }] = [
        jobIdSchema.safeParse(args['one']),
        jobIdSchema.safeParse(args['other']),
      ];
      if (one === undefined || other === undefined) {
        return null;
      }
      const id = `jp-hitch-compare-${one}-${other}`;
      let tab = open.get(id);
      if (tab === undefined) {
        const { CompareView } = await import('./compare.ts');
        tab = new MainAreaWidget({ content: new CompareView({ trans, ...deps }, [one, other]) });
        tab.id = id;
        tab.title.icon = gpusIcon;
        setTitle(tab.title, trans.__('Two jobs'));
        tab.title.closable = true;
        tab.disposed.connect(() => open.delete(id));
        open.set(id, tab);
      } else {
        void tab.content.refresh();
      }
      placeTab(app, labShell, tab);
      return tab;
    },
  });
}

interface Running {
  readonly factory: IFileBrowserFactory | null;
  readonly notebooks: INotebookTracker | null;
}

function addRun(app: JupyterFrontEnd, deps: Deps, { factory, notebooks }: Running): void {
  const { commands, hitch, trans } = deps;
  const { contents } = app.serviceManager;
  const selected = (): string | null => {
    const items = [...(factory?.tracker.currentWidget?.selectedItems() ?? [])];
    return items.length === 1 ? (items[0]?.path ?? null) : null;
  };
  const shown = (): string | null => notebooks?.currentWidget?.context.path ?? null;
  const pathOf = ({ path, notebook }: ReadonlyPartialJSONObject): string | null =>
    typeof path === 'string' ? path : notebook === true ? shown() : (selected() ?? shown());
  const isThere = (): boolean => hitch.clusters.some(canRunOn);
  const run = async (args: ReadonlyPartialJSONObject, path: string, cell: number | null): Promise<void> => {
    if (!isThere()) {
      // The list may be older than the page.
      await hitch.refresh();
    }
    if (!isThere()) {
      const { failed } = await import('../actions/report.ts');
      failed(trans.__('No cluster can run a job now. Rent one, or wait until it is ready.'));
      return;
    }
    const cluster = await targetCluster(deps, args, canRunOn);
    if (cluster !== null) {
      // What runs is what lies on the disk.
      await notebooks?.find(({ context }) => context.path === path)?.context.save();
      const { runAsJob } = await import('./run.ts');
      await runAsJob(deps, contents, cluster, { path, cell });
    }
  };
  const args = {
    type: 'object',
    properties: {
      path: { type: 'string', description: trans.__('The file; the selected one when left out.') },
      notebook: {
        type: 'boolean',
        description: trans.__('The notebook that is shown, not the selected file.'),
      },
      clusterId: {
        type: 'string',
        description: trans.__('The cluster’s id; a person is asked when it is left out.'),
      },
    },
  };
  commands.addCommand(NEIGHBOURS.runAsJob, {
    label: ({ notebook }) => (notebook === true ? trans.__('Run Notebook as Job…') : trans.__('Run as Job…')),
    caption: trans.__('Run this file on a cluster; it goes on when this page is closed'),
    icon: gpusIcon,
    describedBy: { args },
    isVisible: given => isThere() && FILE.test(pathOf(given) ?? ''),
    isEnabled: isThere,
    execute: async given => {
      const path = pathOf(given);
      if (path !== null && FILE.test(path)) {
        await run(given, path, null);
      }
    },
  });
  commands.addCommand(NEIGHBOURS.runCellAsJob, {
    label: trans.__('Run Cell as Job…'),
    describedBy: { args },
    isVisible: () => isThere() && notebooks?.currentWidget !== null,
    isEnabled: isThere,
    execute: async given => {
      const panel = notebooks?.currentWidget ?? null;
      if (panel !== null) {
        await run(given, panel.context.path, Math.max(0, panel.content.activeCellIndex));
      }
    },
  });
}
