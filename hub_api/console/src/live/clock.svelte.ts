/** How often times on the screen move on. A countdown must not jump; four times a second costs nothing. */
const TICK_MS = 250;

/**
 * The hub's clock, which may run faster than ours in a demo. Set at every word of the hub about its time;
 * in between our own monotonic clock carries it on, so a wrong clock of this computer does no harm.
 */
class HubClock {
  /** Moves four times a second; read it in a template to be drawn anew. */
  tick = $state(0);
  speedup = $state(1);
  timezone = $state("Asia/Shanghai");
  #hubMs = Date.now();
  #atMs = performance.now();

  constructor() {
    if (typeof window !== "undefined") setInterval(() => (this.tick += 1), TICK_MS);
  }

  /** The hub said that it is `now` there. */
  set(now: string, speedup: number): void {
    this.#hubMs = Date.parse(now);
    this.#atMs = performance.now();
    this.speedup = speedup;
  }

  /** Milliseconds since the epoch by the hub's clock; not reactive. */
  nowMs(): number {
    return this.#hubMs + (performance.now() - this.#atMs) * this.speedup;
  }

  /** The same, drawn anew with every tick. */
  get now(): Date {
    void this.tick;
    return new Date(this.nowMs());
  }

  /** Seconds by the hub's clock until `at`; negative when it is past. */
  secondsUntil(at: string): number {
    void this.tick;
    return (Date.parse(at) - this.nowMs()) / 1000;
  }
}

export const clock = new HubClock();
