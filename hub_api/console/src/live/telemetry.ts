import { mercatorX, mercatorY } from "../lib/geo";
import type { Sample } from "./stream";

/** One drone's newest sample, when it came (our monotonic clock, ms), and where it flew. */
export type Track = {
  sample: Sample;
  heardMs: number;
  /** Web Mercator, metres, computed once a sample; NaN while the vehicle has not said where it is. */
  x: number;
  y: number;
  /** x, y, x, y … of the present flight, oldest first. */
  trail: number[];
};

/** Chosen: at 4 Hz and 15 m/s a point every 12 m for ten kilometres; older ones are thinned out. */
const LONGEST_TRAIL = 2 * 800;
const LEAST_STEP_M = 10;

/**
 * The newest telemetry of every drone. Deliberately not reactive: with a hundred drones at 4 Hz a reactive
 * store would redraw the page 400 times a second. Whoever draws asks `version` once a frame.
 */
export class Telemetry {
  readonly tracks = new Map<string, Track>();
  /** Changes with every sample. */
  version = 0;

  take(sample: Sample, nowMs: number): void {
    this.version += 1;
    const { longitude_deg, latitude_deg } = sample;
    const x = longitude_deg === null ? NaN : mercatorX(longitude_deg);
    const y = latitude_deg === null ? NaN : mercatorY(latitude_deg);
    const known = this.tracks.get(sample.drone_id);
    const trail = known !== undefined && known.sample.flight_id === sample.flight_id ? known.trail : [];
    const grown = sample.flight_id === null ? [] : grow(trail, x, y);
    if (known === undefined) this.tracks.set(sample.drone_id, { sample, heardMs: nowMs, x, y, trail: grown });
    else Object.assign(known, { sample, heardMs: nowMs, x, y, trail: grown });
  }

  /** Seconds since the vehicle itself was heard, both links added up, by the hub's clock; null: never. */
  ageS(droneId: string, nowMs: number, speedup: number): number | null {
    const track = this.tracks.get(droneId);
    if (track === undefined) return null;
    return ((nowMs - track.heardMs) / 1000) * speedup + (track.sample.link_age_s ?? 0);
  }

  clear(): void {
    this.tracks.clear();
    this.version += 1;
  }
}

function grow(trail: number[], x: number, y: number): number[] {
  if (Number.isNaN(x) || Number.isNaN(y)) return trail;
  const n = trail.length;
  if (n > 0 && Math.abs((trail[n - 2] ?? 0) - x) + Math.abs((trail[n - 1] ?? 0) - y) < LEAST_STEP_M) return trail;
  trail.push(x, y);
  return trail.length <= LONGEST_TRAIL ? trail : thinned(trail);
}

/** Every second point of the older half. */
function thinned(trail: number[]): number[] {
  const half = LONGEST_TRAIL / 2;
  const kept: number[] = [];
  for (let i = 0; i < half; i += 4) kept.push(trail[i] ?? 0, trail[i + 1] ?? 0);
  return kept.concat(trail.slice(half));
}

/** Chosen: in an accelerated demo the hub's seconds are short; a screen's hiccup of half a second is no lost link. */
const LEAST_REAL_S = 2.5;

/** Whether an age is too old to be shown as live. */
export function isStale(ageS: number | null, staleS: number, speedup: number): boolean {
  return ageS === null || ageS > Math.max(staleS, speedup > 1 ? LEAST_REAL_S * speedup : 0);
}
