/** What clients share beyond the contract's typed client: following the clusters. Runs in browsers and in Node. */
export { ClusterFollower, type FollowerOptions, type Lists } from './follower.ts';
export { type EndedRun, endedRunWords, LongRuns, type LongRunsOptions } from './long-runs.ts';
export { followTask, type FollowOptions } from './machine-task.ts';
