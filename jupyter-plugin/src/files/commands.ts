/** The commands of files and their places in menus; the panel stands in the left area while a cluster has files. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import type { FileActions } from './actions.ts';
import type { ClusterDrives } from './drives.ts';
import { filesIcon } from './icon.ts';
import { CLUSTER_BROWSER_CLASS, type ClusterFiles } from './panel.ts';

export const CommandIDs = {
  openFiles: 'hitch:open-files',
  sendTo: 'hitch:send-to',
  fetch: 'hitch:fetch',
  delete: 'hitch:delete',
} as const;

export interface FileCommandsOptions {
  readonly app: JupyterFrontEnd;
  readonly trans: TranslationBundle;
  readonly drives: ClusterDrives;
  readonly factory: IFileBrowserFactory;
  readonly panel: ClusterFiles;
  readonly actions: FileActions;
}

/** After JupyterLab's own panels and before what extensions add without a rank. */
const PANEL_RANK = 505;
const ITEM = '.jp-DirListing-item';

const describedBy = {
  args: {
    type: 'object',
    properties: { clusterId: { type: 'string', description: 'The id of the cluster' } },
  },
};

export function addFileCommands({ app, trans, drives, factory, panel, actions }: FileCommandsOptions): void {
  const { commands, shell, contextMenu } = app;
  const named = (clusterId: unknown) =>
    typeof clusterId === 'string' ? drives.byCluster(clusterId) : undefined;
  /** The browser a person works in, and the cluster whose it is. */
  const current = () => {
    const browser = factory.tracker.currentWidget;
    return { browser, drive: panel.driveOf(browser) };
  };

  commands.addCommand(CommandIDs.openFiles, {
    label: trans.__('Files of a Cluster'),
    caption: trans.__('Browse the files of a cluster'),
    icon: filesIcon,
    describedBy,
    isEnabled: () => drives.drives.length > 0,
    execute: ({ clusterId }) => {
      panel.showFiles((named(clusterId) ?? drives.drives[0])?.name ?? '');
      shell.activateById(panel.id);
    },
  });
  commands.addCommand(CommandIDs.sendTo, {
    label: trans.__('Send to Cluster…'),
    caption: trans.__('Copy the selected files into the work folder of a cluster'),
    icon: filesIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          ...describedBy.args.properties,
          paths: {
            type: 'array',
            items: { type: 'string' },
            description: trans.__('What to send; the selection when left out.'),
          },
          agreed: {
            type: 'boolean',
            description: trans.__('Send into the work folder without asking where to.'),
          },
        },
      },
    },
    isVisible: () => drives.drives.length > 0 && current().drive === null,
    execute: async ({ clusterId, paths, agreed }) => {
      const { browser, drive } = current();
      const selected = drive === null ? [...(browser?.selectedItems() ?? [])].map(({ path }) => path) : [];
      const wanted = Array.isArray(paths) ? paths.filter(path => typeof path === 'string') : selected;
      const target = named(clusterId);
      if (wanted.length > 0 && agreed === true && target !== undefined) {
        await actions.sendInto(target, wanted, '');
      } else if (wanted.length > 0 && drives.drives.length > 0) {
        await actions.send(wanted, target);
      }
    },
  });
  commands.addCommand(CommandIDs.fetch, {
    label: trans.__('Fetch'),
    caption: trans.__('Copy the selected files into the folder that the file browser shows'),
    describedBy,
    isVisible: () => current().drive !== null,
    execute: async ({ clusterId }) => {
      const shown = panel.browser;
      const drive = named(clusterId) ?? panel.driveOf(shown);
      if (shown !== null && drive !== null && panel.driveOf(shown) === drive) {
        await actions.fetch(drive, [...shown.selectedItems()]);
      }
    },
  });
  // JupyterLab's own item would say “Move to Trash”, which a cluster has not: `schema/files.json` puts this in its place.
  commands.addCommand(CommandIDs.delete, {
    label: trans.__('Delete Permanently…'),
    caption: trans.__('Delete the selected files from the cluster, which has no trash'),
    icon: closeIcon.bindprops({ stylesheet: 'menuItem' }),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => panel.browser?.delete(),
  });
  contextMenu.addItem({ command: CommandIDs.sendTo, selector: ITEM, rank: 12 });
  contextMenu.addItem({ command: CommandIDs.fetch, selector: `.${CLUSTER_BROWSER_CLASS} ${ITEM}`, rank: 12 });

  const place = (): void => {
    const wanted = drives.drives.length > 0;
    if (wanted && !panel.isAttached) {
      shell.add(panel, 'left', { rank: PANEL_RANK, type: 'Hitch' });
    } else if (!wanted && panel.isAttached) {
      panel.parent = null;
    }
    commands.notifyCommandChanged();
  };
  drives.changed.connect(place);
  void app.restored.then(place);
}
