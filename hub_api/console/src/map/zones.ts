import Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type { Geometry } from "ol/geom";
import Polygon from "ol/geom/Polygon";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import type { Schemas } from "../api/client";
import { palette, type ZoneKind, zoneLooks } from "./palette";

export type Zone = Schemas["ZoneProperties"];
type Collection = Schemas["ZoneCollection"];

const FONT = '12px "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif';
/** Metres per pixel above which names would only cover each other. */
const NAMES_BELOW_M_PX = 22;

/** Zones by kind, height and validity; the biggest lowest, so that small ones stay visible and can be clicked. */
export class ZoneLayer {
  readonly layer: VectorLayer<VectorSource>;
  #source = new VectorSource();
  #styles = new Map<string, Style>();
  #name: (zone: Zone) => string;
  #opened = new Set<string>();

  constructor(name: (zone: Zone) => string) {
    this.#name = name;
    this.layer = new VectorLayer({
      source: this.#source,
      style: (feature, resolution) => this.#style(feature as Feature, resolution),
      renderOrder: (a, b) => area(b as Feature) - area(a as Feature),
      declutter: "zones",
      updateWhileInteracting: false,
    });
  }

  show(collection: Collection | null): void {
    this.#source.clear();
    this.#styles.clear();
    if (collection === null) return;
    this.#opened = new Set(
      collection.authorisations.filter((item) => item.valid_now).flatMap((item) => item.zone_ids),
    );
    const format = new GeoJSON({ featureProjection: "EPSG:3857" });
    this.#source.addFeatures(
      format.readFeatures({ type: "FeatureCollection", features: collection.features }) as Feature<Geometry>[],
    );
  }

  /** Names in another language. */
  redraw(): void {
    this.#styles.clear();
    this.layer.changed();
  }

  /** The zones at a place, the smallest first. */
  at(coordinate: number[]): Zone[] {
    return this.#source
      .getFeaturesAtCoordinate(coordinate)
      .sort((a, b) => area(a) - area(b))
      .map(zoneOf);
  }

  find(zoneId: string): Feature | undefined {
    return this.#source.getFeatures().find((feature) => zoneOf(feature).zone_id === zoneId);
  }

  kindOf(zone: Zone): ZoneKind {
    if (zone.restriction !== "PROHIBITED" && this.#opened.has(zone.zone_id)) return "AUTHORISED";
    return zone.restriction in zoneLooks ? (zone.restriction as ZoneKind) : "PROHIBITED";
  }

  #style(feature: Feature, resolution: number): Style {
    const zone = zoneOf(feature);
    const kind = this.kindOf(zone);
    const named = resolution < NAMES_BELOW_M_PX;
    const key = `${kind} ${named ? this.#name(zone) : ""}`;
    let found = this.#styles.get(key);
    if (found === undefined) {
      found = styleOf(kind, named ? this.#name(zone) : "");
      this.#styles.set(key, found);
    }
    return found;
  }
}

export function zoneOf(feature: Feature): Zone {
  return feature.getProperties() as Zone;
}

function area(feature: Feature): number {
  const geometry = feature.getGeometry();
  return geometry instanceof Polygon ? geometry.getArea() : 0;
}

function styleOf(kind: ZoneKind, name: string): Style {
  const look = zoneLooks[kind];
  const style = new Style({
    fill: new Fill({ color: hatched(look.hatch, look.stroke, look.fill) }),
    stroke: new Stroke({ color: look.stroke, width: look.width, lineDash: look.dash }),
  });
  if (name !== "" && kind !== "KEEP_IN") {
    style.setText(
      new Text({
        text: name,
        font: FONT,
        fill: new Fill({ color: look.stroke }),
        stroke: new Stroke({ color: palette.halo, width: 3 }),
        overflow: false,
      }),
    );
  }
  return style;
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
