/** What a frame's page may do: run what it was given, and reach nothing but the places that plots take libraries from. */

/** Where bokeh, plotly, altair and widgets that are no part of ours load their programs from. */
const LIBRARIES = [
  'https://cdn.jsdelivr.net',
  'https://unpkg.com',
  'https://cdnjs.cloudflare.com',
  'https://cdn.bokeh.org',
  'https://cdn.plot.ly',
  'https://cdn.holoviz.org',
].join(' ');

export const POLICY = [
  "default-src 'none'",
  `script-src 'unsafe-inline' 'unsafe-eval' blob: data: ${LIBRARIES}`,
  `style-src 'unsafe-inline' ${LIBRARIES}`,
  `img-src data: blob: ${LIBRARIES}`,
  `font-src data: ${LIBRARIES}`,
  'media-src data: blob:',
  'connect-src data: blob:',
  'worker-src blob:',
  // Also where a frame inside may lead itself: to no server at all. What is written into the page needs no address.
  "frame-src 'none'",
  "form-action 'none'",
  "base-uri 'none'",
].join('; ');
