import Feature from "ol/Feature";
import Polygon from "ol/geom/Polygon";
import VectorImageLayer from "ol/layer/VectorImage";
import VectorSource from "ol/source/Vector";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import type { Schemas } from "../api/client";
import { mercatorX, mercatorY } from "../lib/geo";
import { palette, type ZoneKind, zoneLooks } from "./palette";

export type Zone = Schemas["ZoneProperties"];
type Collection = Schemas["ZoneCollection"];

const FONT = '12px "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif';
/** Metres per pixel above which names would only cover each other. */
const NAMES_BELOW_M_PX = 22;
/** Chosen: so much more than the window is drawn, that a map pulled by a quarter of it is not bare of zones at its edge. */
const DRAWN_RATIO = 1.5;

/**
 * Zones by kind, height and validity; the biggest lowest, so that small ones stay visible and can be clicked. Drawn as
 * one picture, which is moved and not drawn anew while the map moves: five thousand of them cost 50 ms a picture.
 */
export class ZoneLayer {
  readonly layer: VectorImageLayer<VectorSource>;
  #source = new VectorSource();
  #plain = new Map<ZoneKind, Style>();
  #named = new Map<ZoneKind, Style>();
  #name: (zone: Zone) => string;
  #opened = new Set<string>();

  constructor(name: (zone: Zone) => string) {
    this.#name = name;
    this.layer = new VectorImageLayer({
      source: this.#source,
      style: (feature, resolution) => this.#style(feature as Feature, resolution),
      renderOrder: (a, b) => area(b as Feature) - area(a as Feature),
      declutter: "zones",
      imageRatio: DRAWN_RATIO,
    });
  }

  show(collection: Collection | null): void {
    this.#source.clear(true);
    if (collection === null) return;
    this.#opened = new Set(
      collection.authorisations.filter((item) => item.valid_now).flatMap((item) => item.zone_ids),
    );
    this.#source.addFeatures(collection.features.map(featureOf));
  }

  /** Names in another language. */
  redraw(): void {
    this.layer.changed();
  }

  /** The zones at a place, the smallest first. */
  at(coordinate: number[]): Zone[] {
    return this.#source
      .getFeaturesAtCoordinate(coordinate)
      .sort((a, b) => area(a) - area(b))
      .map(zoneOf);
  }

  kindOf(zone: Zone): ZoneKind {
    if (zone.restriction !== "PROHIBITED" && this.#opened.has(zone.zone_id)) return "AUTHORISED";
    return zone.restriction in zoneLooks ? (zone.restriction as ZoneKind) : "PROHIBITED";
  }

  /** One style a kind, its text set anew for each zone: a pattern made for each of five thousand takes half a second. */
  #style(feature: Feature, resolution: number): Style {
    const zone = zoneOf(feature);
    const kind = this.kindOf(zone);
    const name = resolution < NAMES_BELOW_M_PX && kind !== "KEEP_IN" ? this.#name(zone) : "";
    if (name === "") return cached(this.#plain, kind, () => styleOf(kind, false));
    const style = cached(this.#named, kind, () => styleOf(kind, true));
    style.getText()?.setText(name);
    return style;
  }
}

function cached(styles: Map<ZoneKind, Style>, kind: ZoneKind, make: () => Style): Style {
  let found = styles.get(kind);
  if (found === undefined) styles.set(kind, (found = make()));
  return found;
}

/** By hand: OpenLayers' own reader takes five times as long, and the hub sends nothing but polygons. */
function featureOf(item: Collection["features"][number]): Feature {
  const flat: number[] = [];
  const ends: number[] = [];
  for (const ring of item.geometry["coordinates"] as number[][][]) {
    for (const [longitudeDeg, latitudeDeg] of ring) flat.push(mercatorX(longitudeDeg ?? NaN), mercatorY(latitudeDeg ?? NaN));
    ends.push(flat.length);
  }
  const polygon = new Polygon(flat, "XY", ends);
  const feature = new Feature(polygon);
  feature.setProperties({ zone: item.properties, area: polygon.getArea() }, true);
  return feature;
}

export function zoneOf(feature: Feature): Zone {
  return feature.get("zone") as Zone;
}

function area(feature: Feature): number {
  return feature.get("area") as number;
}

function styleOf(kind: ZoneKind, named: boolean): Style {
  const look = zoneLooks[kind];
  return new Style({
    fill: new Fill({ color: hatched(look.hatch, look.stroke, look.fill) }),
    stroke: new Stroke({ color: look.stroke, width: look.width, lineDash: look.dash }),
    ...(named && {
      text: new Text({
        font: FONT,
        fill: new Fill({ color: look.stroke }),
        stroke: new Stroke({ color: palette.halo, width: 3 }),
        overflow: false,
      }),
    }),
  });
}

/** The fill of a kind: a pattern says the kind where colours cannot be told apart. */
function hatched(hatch: string, colour: string, fill: string): CanvasPattern | string {
  if (hatch === "none") return fill;
  const size = 12;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const context = tile.getContext("2d");
  if (context === null) return fill;
  context.fillStyle = fill;
  context.fillRect(0, 0, size, size);
  context.globalAlpha = 0.35;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1;
  if (hatch === "dots") {
    context.fillRect(2, 2, 2, 2);
    context.fillRect(8, 8, 2, 2);
  } else {
    context.beginPath();
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift, size);
      context.lineTo(shift + size, 0);
    }
    context.stroke();
  }
  return context.createPattern(tile, "repeat") ?? fill;
}
