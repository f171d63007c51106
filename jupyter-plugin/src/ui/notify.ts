/** JupyterLab's notifications: every message made plain, and as much of it as is shown. */
import { shownLine } from '@hitch/contract';
import { Notification } from '@jupyterlab/apputils';
import { fitting } from '../actions/fitting.ts';

export type Action = Notification.IAction;
type Kind = Notification.TypeOptions;

export interface Notice {
  readonly progress?: number;
  /** After how long it goes by itself; false: never. */
  readonly autoClose?: number | false;
  readonly actions?: readonly Action[];
}

const shownOptions = ({ actions, ...rest }: Notice) => ({
  ...rest,
  ...(actions === undefined
    ? {}
    : { actions: actions.map(action => ({ ...action, label: shownLine(action.label) })) }),
});

/** @returns its id. */
export const notify = (kind: Kind, message: string, notice: Notice = {}): string =>
  Notification.emit(fitting(message), kind, shownOptions(notice));

/** @returns false when the person has closed it. */
export const renotify = (
  id: string,
  message: string,
  { kind, ...notice }: Notice & { readonly kind?: Kind } = {},
): boolean =>
  Notification.update({
    id,
    message: fitting(message),
    ...shownOptions(notice),
    ...(kind === undefined ? {} : { type: kind }),
  });

export const dismiss = (id: string): void => Notification.dismiss(id);
