/** The activity bar's container, its views, and the walkthrough. */
export const CONTAINER = { id: 'hitch', title: 'GPUs' } as const;

export const VIEWS = {
  'hitch.clusters': 'Clusters',
  'hitch.jobs': 'Jobs',
  'hitch.offers': 'Offers',
  'hitch.networks': 'Networks',
  'hitch.templates': 'Templates',
} as const;
export type ViewId = keyof typeof VIEWS;

export const WALKTHROUGH = 'hitch.start';

/** The type of the one webview; VS Code restores pages by it. */
export const PAGE = 'hitch.page';

/** In the list of what a new terminal may be. */
export const TERMINAL_PROFILE = 'hitch.terminal';
