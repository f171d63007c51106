/** The daemon's own window, as this page can open it: it gets no handle of it. */

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** Large enough for a long quote; the daemon's window waits until it can be read. */
const FEATURES = 'popup,width=560,height=640';

/** Whether the daemon's computer is this browser's, as far as the address says. */
export const isOnThisComputer = ({ hostname }: Pick<Location, 'hostname'>): boolean =>
  LOOPBACK.test(hostname);

/** @returns whether the browser let it open. */
export const openWindow = (url: string): boolean => window.open(url, '', FEATURES) !== null;
