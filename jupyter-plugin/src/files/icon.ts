import { LabIcon } from '@jupyterlab/ui-components';

/** A folder with the pins of a chip. */
export const filesIcon = new LabIcon({
  name: 'jupyterlab-hitch:files',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M10 4l2 2h8a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zm-1 7v6h6v-6zM8 9h2V8h1v1h2V8h1v1h2v2h1v1h-1v2h1v1h-1v3h-2v1h-1v-1h-2v1h-1v-1H8v-3H7v-1h1v-2H7v-1h1z"/>
</svg>`,
});
