/** The files of the clusters, in the left area: one of JupyterLab's own file browsers for each, and which one is shown. */
import { type FileBrowser, type IFileBrowserFactory, Uploader } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { newFolderIcon, refreshIcon, ToolbarButton, downloadIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import type { ClusterDrive } from './drive.ts';
import type { ClusterDrives } from './drives.ts';
import { filesIcon } from './icon.ts';
import { folderOf } from './paths.ts';
import { setText, setTitle } from '../ui/text.ts';
import { deleteSelected } from './remove.ts';

export const CLUSTER_BROWSER_CLASS = 'jp-HitchFiles-browser';

export interface ClusterFilesOptions {
  readonly drives: ClusterDrives;
  readonly factory: IFileBrowserFactory;
  readonly contents: Contents.IManager;
  readonly commands: CommandRegistry;
  readonly translator: ITranslator;
  readonly trans: TranslationBundle;
  /** Sends a file of the browser's computer: in pieces, resumed, with its progress shown. */
  readonly upload: (drive: ClusterDrive, file: File, path: string) => Promise<Contents.IModel>;
}

export class ClusterFiles extends Panel {
  readonly #options: ClusterFilesOptions;
  readonly #choice = document.createElement('select');
  readonly #note = document.createElement('p');
  readonly #browsers = new Map<ClusterDrive, FileBrowser>();
  #shown: ClusterDrive | null = null;

  constructor(options: ClusterFilesOptions) {
    super();
    this.#options = options;
    const { trans, drives, contents } = options;
    this.id = 'jp-hitch-files';
    this.addClass('jp-HitchFiles');
    this.title.icon = filesIcon;
    setTitle(this.title, '', trans.__('Files of clusters'));
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Files of clusters'));
    this.#choice.className = 'jp-mod-styled';
    this.#choice.setAttribute('aria-label', trans.__('Cluster to show files of'));
    this.#choice.addEventListener('change', () => this.showFiles(this.#choice.value));
    this.#note.className = 'jp-HitchFiles-note';
    this.#note.setAttribute('role', 'status');
    const head = new Widget();
    head.addClass('jp-HitchFiles-head');
    head.node.append(this.#choice, this.#note);
    this.addWidget(head);
    drives.changed.connect(this.#look, this);
    contents.fileChanged.connect(this.#onFileChanged, this);
    this.#look();
  }

  /** The browser that a person looks at. */
  get browser(): FileBrowser | null {
    return this.#shown === null ? null : (this.#browsers.get(this.#shown) ?? null);
  }

  /** The cluster of a browser, when it is one of these. */
  driveOf(browser: Widget | null): ClusterDrive | null {
    return [...this.#browsers].find(([, mine]) => mine === browser)?.[0] ?? null;
  }

  showFiles(cluster: string): void {
    const drive = this.#options.drives.drives.find(({ name }) => name === cluster);
    if (drive === undefined) {
      return;
    }
    this.#shown = drive;
    this.#choice.value = cluster;
    this.#say();
    this.#browse(drive);
  }

  /**
   * JupyterLab makes files and notebooks where its newest browser stands, so a browser of a rented machine is not
   * there before a person opens this panel: what is made would end with the machine.
   */
  #browse(drive: ClusterDrive): void {
    if (!this.isVisible) {
      return;
    }
    const browser = this.#browsers.get(drive) ?? this.#make(drive);
    for (const [other, mine] of this.#browsers) {
      mine.setHidden(other !== drive);
    }
    void browser.model.refresh();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    if (this.#shown !== null) {
      this.#browse(this.#shown);
    }
  }

  #make(drive: ClusterDrive): FileBrowser {
    const { factory, trans, translator, commands, upload } = this.#options;
    const browser = factory.createFileBrowser(`jp-hitch-files-${drive.name}`, {
      driveName: drive.name,
      restore: false,
      auto: true,
    });
    browser.addClass(CLUSTER_BROWSER_CLASS);
    // The stock upload goes through JSON in pieces that nothing checks and nothing resumes.
    browser.model.upload = (file, path) => upload(drive, file, path ?? browser.model.path);
    browser.delete = () => deleteSelected(browser, drive, trans);
    // A narrow panel has room for one more column beside the name.
    browser.showFileSizeColumn = true;
    browser.showLastModifiedColumn = false;
    const { model, toolbar } = browser;
    toolbar.addItem(
      'new-folder',
      new ToolbarButton({
        icon: newFolderIcon,
        tooltip: trans.__('New folder'),
        onClick: () => void browser.createNewDirectory(),
      }),
    );
    toolbar.addItem('upload', new Uploader({ model, translator }));
    toolbar.addItem(
      'refresh',
      new ToolbarButton({
        icon: refreshIcon,
        tooltip: trans.__('Refresh'),
        onClick: () => void model.refresh(),
      }),
    );
    toolbar.addItem(
      'fetch',
      new ToolbarButton({
        icon: downloadIcon,
        tooltip: trans.__('Fetch the selected files into this JupyterLab’s file browser'),
        onClick: () => void commands.execute('hitch:fetch', { clusterId: drive.clusterId }),
      }),
    );
    this.#browsers.set(drive, browser);
    this.addWidget(browser);
    return browser;
  }

  /** JupyterLab's browsers notice changes at a drive's root only. */
  #onFileChanged(_: Contents.IManager, { oldValue, newValue }: Contents.IChangedArgs): void {
    const folders = [oldValue?.path, newValue?.path].flatMap(path =>
      path === undefined ? [] : [folderOf(path)],
    );
    for (const browser of this.#browsers.values()) {
      if (folders.includes(browser.model.path)) {
        void browser.model.refresh();
      }
    }
  }

  #look(): void {
    const { drives } = this.#options;
    for (const [drive, browser] of this.#browsers) {
      if (!drives.drives.includes(drive)) {
        this.#browsers.delete(drive);
        browser.dispose();
      }
    }
    const names = drives.drives.map(({ name }) => name);
    if ([...this.#choice.options].map(({ value }) => value).join() !== names.join()) {
      this.#choice.replaceChildren(...names.map(name => new Option(name, name)));
    }
    const shown = this.#shown;
    if (shown === null || !drives.drives.includes(shown)) {
      this.#shown = null;
      this.showFiles(names[0] ?? '');
    }
    this.#choice.value = this.#shown?.name ?? '';
    this.#say();
  }

  #say(): void {
    const { trans } = this.#options;
    const text =
      this.#shown === null ? trans.__('No cluster is running, so there are no files.') : this.#shown.sentence;
    setText(this.#note, text);
    this.#note.hidden = text === '';
    this.#choice.hidden = this.#shown === null;
  }

  override dispose(): void {
    this.#options.drives.changed.disconnect(this.#look, this);
    this.#options.contents.fileChanged.disconnect(this.#onFileChanged, this);
    super.dispose();
  }
}
