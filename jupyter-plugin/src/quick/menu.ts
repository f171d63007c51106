/** The lines that rent: below a notebook's *Run on*, and in a menu of their own for launcher, status bar and palette. */
import type { Menu } from '@lumino/widgets';
import { COMMANDS, NEIGHBOURS } from '../actions/ids.ts';
import type { QuickPresets } from './presets.ts';
import { LAST, type Quick } from './rent.ts';

/** @param path of the notebook that gets its kernel there; null: none */
export function addQuickItems(menu: Menu, { presets }: Quick, path: string | null): void {
  const add = (what: string) =>
    menu.addItem({ command: NEIGHBOURS.rentPreset, args: { what, ...(path === null ? {} : { path }) } });
  if (presets.last !== null) {
    add(LAST);
  }
  presets.all.forEach(({ id }) => add(id));
  menu.addItem({ type: 'separator' });
  if (path !== null) {
    menu.addItem({ command: NEIGHBOURS.runAfterRent });
  }
  menu.addItem({ command: COMMANDS.newCluster });
  menu.addItem({ command: NEIGHBOURS.editPresets });
}

/**
 * Opens the menu, asks for the presets and their prices, and shows them as they come: Lumino's menus do not follow commands by
 * themselves, and one whose items change closes.
 * @param fill makes the items anew
 */
export function openFollowing(
  menu: Menu,
  presets: QuickPresets,
  { x, y, fill }: { readonly x: number; readonly y: number; readonly fill: () => void },
): void {
  let { list } = presets;
  let isFilling = false;
  const open = (): void => {
    isFilling = true;
    fill();
    menu.open(x, y);
    isFilling = false;
  };
  const renew = (): void => {
    if (presets.list?.text === list?.text) {
      menu.update();
    } else {
      ({ list } = presets);
      open();
    }
  };
  open();
  presets.changed.connect(renew);
  menu.aboutToClose.connect(function closed() {
    if (!isFilling) {
      presets.changed.disconnect(renew);
      menu.aboutToClose.disconnect(closed);
    }
  });
  void presets.look();
}
