/** Where a tab goes: the main area of JupyterLab; Notebook 7 keeps that for one document, so there it goes to the right. */
import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import type { MainAreaWidget } from '@jupyterlab/apputils';

export function placeTab(
  app: JupyterFrontEnd,
  labShell: ILabShell | null,
  widget: MainAreaWidget,
  ref?: string,
): void {
  if (!widget.isAttached) {
    const after = ref === undefined ? {} : ({ ref, mode: 'tab-after' } as const);
    app.shell.add(widget, labShell === null ? 'right' : 'main', { type: 'GPUs', ...after });
  }
  app.shell.activateById(widget.id);
}
