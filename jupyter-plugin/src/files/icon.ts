import { LabIcon } from '@jupyterlab/ui-components';

/** A folder with a chip in it. */
export const filesIcon = new LabIcon({
  name: 'jupyterlab-hitch:files',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" fill-rule="evenodd" d="M10 4l2 2h8a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM8 9v8h8V9zm2 2h4v4h-4z"/>
</svg>`,
});
