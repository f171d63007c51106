/** Where a link of a cluster's output may lead: to the web, and to no service of this computer. */

const OWN = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|0(?:\.\d+){3}|\[::1?\]|\[::ffff:.*\])$/i;

/** The address as browsers write it, without look-alike letters; null for one that is not to be opened from here. */
export function openable(href: string, origin: string): string | null {
  const url = URL.canParse(href) ? new URL(href) : null;
  const isWeb = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  return isWeb && url.username === '' && !OWN.test(url.hostname) && url.origin !== origin ? url.href : null;
}
