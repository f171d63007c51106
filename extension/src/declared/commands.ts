/** Every command, once. The manifest's list is compared with this one by a test. */
export const COMMANDS = {
  'hitch.rent.new': 'Rent GPUs…',
  'hitch.rent.fromOffer': 'Rent…',
  'hitch.rent.fromTemplate': 'Rent with This Template…',
  'hitch.cluster.runOn': 'Run on…',
  'hitch.cluster.timeline': 'Timeline',
  'hitch.cluster.logs': 'Logs',
  'hitch.cluster.extend': 'Extend…',
  'hitch.cluster.save': 'Save Now',
  'hitch.cluster.stop': 'Stop…',
  'hitch.cluster.cancel': 'Cancel…',
  'hitch.cluster.startAgain': 'Start Again…',
  'hitch.cluster.nextOffer': 'Next Offer…',
  'hitch.cluster.replace': 'Replace…',
  'hitch.cluster.retry': 'Retry',
  'hitch.cluster.remove': 'Remove from List',
  'hitch.offers.refresh': 'Ask the Networks Again',
  'hitch.offers.saveSearch': 'Save a Search…',
  'hitch.offers.removeSearch': 'Remove This Search',
  'hitch.view.refresh': 'Refresh',
  'hitch.daemon.start': 'Start Hitch’s Daemon',
  'hitch.doctor.run': 'Check This Computer',
  'hitch.support.bundle': 'Save a Support Bundle…',
  'hitch.log.show': 'Show Log',
  'hitch.walkthrough.open': 'Get Started',
} as const;

export type CommandId = keyof typeof COMMANDS;
