/** The activity bar's container, its views, and the walkthrough. */
export const CONTAINER = { id: 'hitch', title: 'GPUs' } as const;

export const VIEWS = {
  'hitch.clusters': 'Clusters',
  'hitch.offers': 'Offers',
  'hitch.templates': 'Templates',
} as const;
export type ViewId = keyof typeof VIEWS;

export const WALKTHROUGH = 'hitch.start';
