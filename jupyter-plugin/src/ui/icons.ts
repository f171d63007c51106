/** The product's own icon; it takes its colour from the theme. */
import { LabIcon } from '@jupyterlab/ui-components';

const GPUS = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M2 5h2.2v1.4H21c.6 0 1 .4 1 1v8.2c0 .6-.4 1-1 1H12v1.8h-2v-1.8H8v1.8H6v-1.8H4.200V20H2zm2.200 3.200v6.600H20.200V8.200z"/>
    <path d="M8.600 9.300a2.200 2.200 0 1 1 0 4.400 2.200 2.200 0 0 1 0-4.400m0 1.500a.7.7 0 1 0 0 1.400.7.700 0 0 0 0-1.400m6.800-1.500a2.200 2.200 0 1 1 0 4.400 2.200 2.200 0 0 1 0-4.400m0 1.500a.7.700 0 1 0 0 1.400.7.700 0 0 0 0-1.400"/>
  </g>
</svg>`;

export const gpusIcon = new LabIcon({ name: 'hitch:gpus', svgstr: GPUS });
