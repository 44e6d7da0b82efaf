import type OlMap from "ol/Map";
import type { EventsKey } from "ol/events";
import { unByKey } from "ol/Observable";
import type { Telemetry, Track } from "../live/telemetry";
import { palette } from "./palette";

/** At most so many pictures a second while nobody moves the map: telemetry comes four times a second. */
const LEAST_PAUSE_MS = 48;
/** Trails grow by metres: twice a second is enough, and saves drawing kilometres of line for every picture. */
const TRAIL_PAUSE_MS = 500;
const HIT_PX = 18;
const ICON_PX = 30;
const FONT = 'bold 12px "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif';

export type DroneLook = "flying" | "standing" | "trouble" | "stale";

export type FleetView = {
  look: (track: Track, nowMs: number) => DroneLook;
  selected: () => string | null;
};

type Affine = readonly number[];

/**
 * Drones and trails on two canvases over the map. The map itself is not drawn anew when a drone moves: with a
 * hundred drones that costs a core, this costs some per cent (decision on the console).
 *
 * A drone is drawn where it last said it was. Nothing is extrapolated: a picture of where it might be by now would
 * look as live as the truth.
 */
export class FleetCanvas {
  #map: OlMap;
  #telemetry: Telemetry;
  #view: FleetView;
  #drones = layer();
  #trails = layer();
  #transform: Affine | null = null;
  #request = 0;
  #drawnVersion = -1;
  #drawnMs = 0;
  #trailsMs = 0;
  #sprites = new Map<string, HTMLCanvasElement>();
  #key: EventsKey;
  /** Called once a picture, before it is drawn: following a drone moves the map here. */
  onFrame: (() => void) | null = null;

  constructor(map: OlMap, telemetry: Telemetry, view: FleetView) {
    this.#map = map;
    this.#telemetry = telemetry;
    this.#view = view;
    map.getViewport()?.querySelector(".ol-layers")?.after(this.#trails, this.#drones);
    this.#key = map.on("postrender", (event) => {
      const state = event.frameState;
      if (state === null || state === undefined) return;
      this.#transform = [...state.coordinateToPixelTransform];
      this.#draw(performance.now(), true);
    }) as EventsKey;
    this.#request = requestAnimationFrame((now) => this.#tick(now));
  }

  dispose(): void {
    cancelAnimationFrame(this.#request);
    unByKey(this.#key);
    this.#drones.remove();
    this.#trails.remove();
  }

  /** Something else than telemetry changed: the selection, or what counts as stale. */
  redraw(): void {
    this.#drawnVersion = -1;
    this.#trailsMs = 0;
  }

  /** The drone under a pixel of the map, the nearest if several. */
  hit(pixel: number[]): string | null {
    const to = this.#transform;
    if (to === null) return null;
    let best: string | null = null;
    let bestPx = HIT_PX;
    for (const [droneId, track] of this.#telemetry.tracks) {
      const [x, y] = place(to, track.x, track.y);
      const away = Math.hypot(x - (pixel[0] ?? 0), y - (pixel[1] ?? 0));
      if (away < bestPx) [best, bestPx] = [droneId, away];
    }
    return best;
  }

  #tick(now: number): void {
    this.#request = requestAnimationFrame((next) => this.#tick(next));
    if (now - this.#drawnMs < LEAST_PAUSE_MS) return;
    this.onFrame?.();
    if (this.#drawnVersion !== this.#telemetry.version) this.#draw(now, false);
  }

  #draw(now: number, moved: boolean): void {
    const to = this.#transform;
    const size = this.#map.getSize();
    if (to === null || size === undefined) return;
    this.#drawnVersion = this.#telemetry.version;
    this.#drawnMs = now;
    const selected = this.#view.selected();
    if (moved || now - this.#trailsMs > TRAIL_PAUSE_MS) {
      this.#trailsMs = now;
      this.#drawTrails(prepared(this.#trails, size), to, selected);
    }
    const context = prepared(this.#drones, size);
    let last: [string, Track] | null = null;
    for (const [droneId, track] of this.#telemetry.tracks) {
      if (droneId === selected) last = [droneId, track];
      else this.#drawDrone(context, to, droneId, track, now, false);
    }
    if (last !== null) this.#drawDrone(context, to, last[0], last[1], now, true);
  }

  #drawTrails(context: CanvasRenderingContext2D, to: Affine, selected: string | null): void {
    context.lineJoin = "round";
    for (const [droneId, track] of this.#telemetry.tracks) {
      const { trail } = track;
      if (trail.length < 4) continue;
      context.beginPath();
      for (let i = 0; i < trail.length; i += 2) {
        const [x, y] = place(to, trail[i] ?? 0, trail[i + 1] ?? 0);
        if (i === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
      context.lineWidth = droneId === selected ? 3 : 1.5;
      context.strokeStyle = droneId === selected ? palette.flown : "rgba(244, 247, 250, 0.45)";
      context.stroke();
    }
  }

  #drawDrone(
    context: CanvasRenderingContext2D,
    to: Affine,
    droneId: string,
    track: Track,
    now: number,
    selected: boolean,
  ): void {
    if (Number.isNaN(track.x)) return;
    const [x, y] = place(to, track.x, track.y);
    const look = this.#view.look(track, now);
    const headingDeg = track.sample.heading_deg;
    const icon = this.#icon(look, selected, headingDeg !== null);
    context.save();
    context.translate(x, y);
    context.rotate(((headingDeg ?? 0) * Math.PI) / 180 + Math.atan2(to[1] ?? 0, to[0] ?? 1));
    context.drawImage(icon, -ICON_PX, -ICON_PX, 2 * ICON_PX, 2 * ICON_PX);
    context.restore();
    const label = this.#label(droneId, look, selected);
    context.drawImage(label, x + 14, y - 22, label.width / RATIO, label.height / RATIO);
  }

  /** An arrow where it is known which way it points, else a disc: no direction is made up. */
  #icon(look: DroneLook, selected: boolean, pointed: boolean): HTMLCanvasElement {
    return this.#sprite(`icon ${look} ${selected} ${pointed}`, 2 * ICON_PX, 2 * ICON_PX, (context) => {
      context.translate(ICON_PX, ICON_PX);
      const colour = { flying: palette.flying, standing: palette.standing, trouble: palette.trouble, stale: palette.stale }[look];
      if (selected) {
        context.strokeStyle = palette.selected;
        context.lineWidth = 2;
        context.beginPath();
        context.arc(0, 0, 20, 0, 7);
        context.stroke();
      }
      context.beginPath();
      if (look === "standing" || !pointed) context.arc(0, 0, look === "standing" ? 6 : 10, 0, 7);
      else {
        context.moveTo(0, -14);
        context.lineTo(10, 11);
        context.lineTo(0, 5);
        context.lineTo(-10, 11);
        context.closePath();
      }
      context.lineWidth = 4;
      context.strokeStyle = palette.halo;
      context.stroke();
      if (look === "stale") {
        // Hollow and broken: where it was, not where it is.
        context.setLineDash([3, 3]);
        context.lineWidth = 2;
        context.strokeStyle = colour;
        context.stroke();
      } else {
        context.fillStyle = colour;
        context.fill();
      }
    });
  }

  #label(droneId: string, look: DroneLook, selected: boolean): HTMLCanvasElement {
    const text = look === "stale" ? `${droneId} ?` : look === "trouble" ? `${droneId} !` : droneId;
    const colour = look === "stale" ? palette.stale : look === "trouble" ? palette.trouble : selected ? palette.selected : palette.ink;
    return this.#sprite(`label ${text} ${colour}`, text.length * 8 + 12, 18, (context) => {
      context.font = FONT;
      context.textBaseline = "middle";
      context.lineWidth = 3;
      context.strokeStyle = palette.halo;
      context.strokeText(text, 3, 9);
      context.fillStyle = colour;
      context.fillText(text, 3, 9);
    });
  }

  #sprite(key: string, width: number, height: number, paint: (context: CanvasRenderingContext2D) => void): HTMLCanvasElement {
    let found = this.#sprites.get(key);
    if (found === undefined) {
      found = document.createElement("canvas");
      found.width = width * RATIO;
      found.height = height * RATIO;
      const context = found.getContext("2d");
      if (context !== null) {
        context.scale(RATIO, RATIO);
        paint(context);
      }
      this.#sprites.set(key, found);
    }
    return found;
  }
}

const RATIO = typeof window === "undefined" ? 1 : Math.min(2, window.devicePixelRatio || 1);

function place(to: Affine, x: number, y: number): [number, number] {
  return [
    (to[0] ?? 0) * x + (to[2] ?? 0) * y + (to[4] ?? 0),
    (to[1] ?? 0) * x + (to[3] ?? 0) * y + (to[5] ?? 0),
  ];
}

function layer(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.className = "fleet-canvas";
  return canvas;
}

/** The canvas, cleared, at the map's size, ready to be drawn on in CSS pixels. */
function prepared(canvas: HTMLCanvasElement, size: number[]): CanvasRenderingContext2D {
  const [width, height] = [Math.round((size[0] ?? 0) * RATIO), Math.round((size[1] ?? 0) * RATIO)];
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser has no 2-D canvas");
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  } else {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
  }
  context.setTransform(RATIO, 0, 0, RATIO, 0, 0);
  return context;
}
