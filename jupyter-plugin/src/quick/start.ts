/** The commands that rent what is usually rented, and the notebooks that follow. */
import { type ClusterId, HitchError, lastRentedWords } from '@hitch/contract';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { MenuSvg } from '@jupyterlab/ui-components';
import type { Deps } from '../actions/deps.ts';
import { NEIGHBOURS } from '../actions/ids.ts';
import { moveNotebook, runsOn, untilKernels, untilOwnKernel } from '../run-on/move.ts';
import { gpusIcon } from '../ui/icons.ts';
import { pause } from '../ui/pause.ts';
import { AttachLater } from './attach-later.ts';
import { editPresets } from './edit.ts';
import { addQuickItems, openFollowing } from './menu.ts';
import { QuickPresets } from './presets.ts';
import { LAST, type Quick, rentQuickly } from './rent.ts';

export function startQuick(app: JupyterFrontEnd, deps: Deps, notebooks: INotebookTracker): Quick {
  const { hitch, now } = deps;
  const quick: Quick = {
    presets: new QuickPresets(hitch, now),
    later: new AttachLater({
      hitch,
      notebooks,
      storage: window.sessionStorage,
      isThere: (panel, { name }) => runsOn(panel, name),
      move: async (panel, { name }, isWanted) => {
        const moving = { deps, specs: app.serviceManager.kernelspecs, to: name };
        await untilKernels(moving, isWanted);
        if (await untilOwnKernel(panel, moving, isWanted)) {
          return 'there';
        }
        return isWanted() ? moveNotebook(panel, moving) : 'failed';
      },
      run: (panel, cell) => NotebookActions.runCells(panel.content, [cell], panel.sessionContext),
      hasRun: ({ sessionContext }, { id: clusterId }, cellId) =>
        hasRun(deps, { clusterId, kernelId: sessionContext.session?.kernel?.id ?? '' }, cellId),
    }),
  };
  addCommands(app, deps, quick, notebooks);
  return quick;
}

const ASK_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 2_000;

/** A cluster that does not answer is asked again: guessed wrongly, a cell would run twice or not at all. */
async function hasRun(
  { hitch }: Deps,
  kernel: { readonly clusterId: ClusterId; readonly kernelId: string },
  cellId: string,
): Promise<boolean> {
  for (;;) {
    try {
      const executions = await hitch.client.api.kernels.executions(
        { ...kernel, content: 'none' },
        { signal: AbortSignal.timeout(ASK_WITHIN_MS) },
      );
      return executions.some(execution => execution.cellId === cellId);
    } catch (error) {
      if (error instanceof HitchError && error.code === 'NOT_FOUND') {
        return false;
      }
      await pause(ASK_AGAIN_MS);
    }
  }
}

const NEW_NOTEBOOK = 'notebook:create-new';

/** An argument of a command may be anything. */
const textOf = (argument: unknown): string => (typeof argument === 'string' ? argument : '');

function addCommands(app: JupyterFrontEnd, deps: Deps, quick: Quick, notebooks: INotebookTracker): void {
  const { commands, trans, preferences } = deps;
  const { presets } = quick;
  const menu = new MenuSvg({ commands });
  const panelAt = (path: unknown): NotebookPanel | null =>
    typeof path === 'string' ? (notebooks.find(({ context }) => context.path === path) ?? null) : null;
  commands.addCommand(NEIGHBOURS.rentPreset, {
    label: ({ what }) => lineOf(deps, quick, what),
    caption: ({ what }) => presets.find(textOf(what))?.detail ?? '',
    describedBy: {
      args: {
        type: 'object',
        required: ['what'],
        properties: {
          what: { type: 'string', description: trans.__('A preset’s id, or “last”.') },
          path: {
            type: 'string',
            description: trans.__('The notebook that gets its kernel there; none when left out.'),
          },
        },
      },
    },
    execute: ({ what, path }) => rentQuickly(deps, quick, textOf(what), panelAt(path)),
  });
  commands.addCommand(NEIGHBOURS.runAfterRent, {
    label: trans.__('Then Run the Selected Cell'),
    isToggled: () => preferences.present.runAfterRent,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => preferences.keep('runAfterRent', !preferences.present.runAfterRent),
  });
  commands.addCommand(NEIGHBOURS.editPresets, {
    label: trans.__('Edit Presets…'),
    caption: trans.__('What you usually rent, the same lines in all clients'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => editPresets(deps, presets),
  });
  commands.addCommand(NEIGHBOURS.rentQuickly, {
    label: ({ isLauncher }) =>
      isLauncher === true ? trans.__('Notebook on a GPU') : trans.__('Rent What You Usually Rent…'),
    caption: trans.__('Rent in three clicks; the notebook moves there by itself'),
    icon: gpusIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          isLauncher: { type: 'boolean', description: trans.__('Makes a new notebook that moves there.') },
        },
      },
    },
    execute: async ({ isLauncher }) => {
      const at = placeOf(document.activeElement);
      if (isLauncher === true) {
        await commands.execute(NEW_NOTEBOOK, { kernelName: app.serviceManager.kernelspecs.specs?.default });
      }
      const path = notebooks.currentWidget?.context.path ?? null;
      const fill = (): void => {
        menu.clearItems();
        addQuickItems(menu, quick, path);
      };
      openFollowing(menu, presets, { ...at, fill });
    },
  });
  // Before somebody opens a menu, which is drawn at once; the prices are asked for then.
  const load = (): void => {
    if (deps.hitch.link.state === 'live') {
      deps.hitch.changed.disconnect(load);
      void presets.load();
    }
  };
  deps.hitch.changed.connect(load);
  load();
}

/** Where a menu opens: below what was pressed. */
function placeOf(element: Element | null): { readonly x: number; readonly y: number } {
  const { left, bottom, width } = (element ?? document.body).getBoundingClientRect();
  return width === 0 || element === document.body
    ? { x: window.innerWidth / 3, y: window.innerHeight / 4 }
    : { x: left, y: bottom };
}

/** `Rent: Cheapest 24 GB, $0.38/h`. */
function lineOf({ trans }: Deps, { presets }: Quick, what: unknown): string {
  if (what === LAST) {
    const { last } = presets;
    return last === null
      ? trans.__('Rent the Last One Again…')
      : trans.__('Rent Again: %1 (%2)', last.name, lastRentedWords(last));
  }
  const preset = presets.find(textOf(what));
  const price = presets.priceOf(textOf(what));
  return preset === undefined
    ? trans.__('Rent a Preset…')
    : trans.__('Rent: %1, %2', preset.label, price ?? trans.__('asking for the price…'));
}
