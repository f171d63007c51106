/** Notices on the desktop, for a person who looks at another window: only where that person has said yes to the browser. */
import { shownLine } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { NextStep } from '../actions/report.ts';

/** Undefined: this browser has none, or not for a page that came without TLS from another computer. */
const desktop = (): typeof window.Notification | undefined =>
  'Notification' in window ? window.Notification : undefined;

export function tellOnDesktop(message: string): void {
  const Shown = desktop();
  if (Shown?.permission !== 'granted' || document.hasFocus()) {
    return;
  }
  const shown = new Shown('Hitch', { body: shownLine(message) });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

/** The way to that yes, while nobody has answered it. */
export function desktopStep(trans: TranslationBundle): readonly NextStep[] {
  const Shown = desktop();
  return Shown?.permission === 'default'
    ? [{ label: trans.__('Also on the desktop…'), run: () => void Shown.requestPermission() }]
    : [];
}
