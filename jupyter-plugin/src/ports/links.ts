/** Links in outputs that name the machine itself. */
import { type PrintedAddress, printedAddress } from '@hitch/contract';

/** Where outputs stand; links of documents and other pages are nobody's of ours. */
const LINK = '.jp-OutputArea-output a[href]';

export interface PrintedLink {
  readonly link: HTMLAnchorElement;
  readonly address: PrintedAddress;
}

/** @param target of a click */
export function printedLink(target: EventTarget | null): PrintedLink | null {
  const link = target instanceof Element ? target.closest(LINK) : null;
  const address = link instanceof HTMLAnchorElement ? printedAddress(link.href) : null;
  return link instanceof HTMLAnchorElement && address !== null ? { link, address } : null;
}
