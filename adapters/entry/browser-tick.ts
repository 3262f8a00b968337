/** What the engine's worker says each second for the timers of a hidden page, which come late; it is for nobody else. */
export const TICK = "tick";
