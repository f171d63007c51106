/** Chromium for the workbench. */
export { findChromium, launchChromium } from '../../support/chromium.ts';
