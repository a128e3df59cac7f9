/** Of one call to the cluster for a plan, a run or its throttle. */
export const callDeadlineMs = 15_000
