/** A page of the navigation. */
interface Destination {
  readonly page: string;
  readonly title: string;
  /** The key that leads there after `g`. */
  readonly key: string;
}

/** The pages in the navigation, in this order; all others are reached from them. */
export const DESTINATIONS: readonly Destination[] = [
  { page: 'functions', title: 'Functions', key: 'f' },
  { page: 'jobs', title: 'Jobs', key: 'j' },
  { page: 'workers', title: 'Workers', key: 'w' },
  { page: 'dead-letters', title: 'Dead letters', key: 'd' },
  { page: 'schedules', title: 'Schedules', key: 's' },
  { page: 'tail', title: 'Tail', key: 't' },
  { page: 'server', title: 'Server', key: 'v' },
];
