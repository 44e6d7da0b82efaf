import Feature from "ol/Feature";
import Point from "ol/geom/Point";
import type OlMap from "ol/Map";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import RegularShape from "ol/style/RegularShape";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import { palette } from "./palette";

export type PlaceKind = "station" | "landing_point" | "incident" | "ambulance" | "rally" | "alternate" | "found";

/** Something at a place: shape by kind, so that it reads without colour. */
export type Place = {
  kind: PlaceKind;
  id: string;
  label: string;
  latitudeDeg: number;
  longitudeDeg: number;
  /** Greyed: a landing point that may not be used now, an ambulance that is not there any more. */
  closed?: boolean;
  selected?: boolean;
  /** Can be chosen right now. */
  offered?: boolean;
};

const FONT = '12px "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif';
const STRONG = `bold 13px "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif`;
const NAMES_BELOW_M_PX = 14;

export class PlaceLayer {
  readonly layer: VectorLayer<VectorSource>;
  #source = new VectorSource();
  #shown = "";

  constructor(zIndex: number, declutter: string) {
    this.layer = new VectorLayer({
      source: this.#source,
      style: (feature, resolution) => styleOf(feature.get("place") as Place, resolution),
      declutter,
      zIndex,
    });
  }

  show(places: readonly Place[]): void {
    const wanted = JSON.stringify(places);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.#source.clear();
    this.#source.addFeatures(
      places.map((place) => {
        const feature = new Feature(new Point(fromLonLat([place.longitudeDeg, place.latitudeDeg])));
        feature.set("place", place);
        return feature;
      }),
    );
  }

  /**
   * The offered place nearest to a pixel, within some pixels of it. By its position and not by what is drawn there: a
   * mark may lie under another one, be left out for want of room, or not be drawn yet.
   */
  offeredAt(map: OlMap, pixel: number[], within: number): Place | null {
    let found: Place | null = null;
    let nearest = within;
    for (const feature of this.#source.getFeatures()) {
      const place = feature.get("place") as Place;
      const at = map.getPixelFromCoordinate(fromLonLat([place.longitudeDeg, place.latitudeDeg]));
      if (place.offered !== true || at === null) continue;
      const away = Math.hypot((at[0] ?? NaN) - (pixel[0] ?? NaN), (at[1] ?? NaN) - (pixel[1] ?? NaN));
      if (away <= nearest) [found, nearest] = [place, away];
    }
    return found;
  }
}

function styleOf(place: Place, resolution: number): Style[] {
  const always = place.kind === "incident" || place.kind === "ambulance";
  const named = resolution < NAMES_BELOW_M_PX || always || place.selected === true;
  const styles = [shapeOf(place)];
  if (named) {
    const important = (always || place.selected === true) && place.closed !== true;
    styles.push(
      new Style({
        text: new Text({
          text: place.label,
          // Where the ambulance is, and how old that is, is never left out for want of room.
          ...(place.kind === "ambulance" && { declutterMode: "none" as const }),
          font: important ? STRONG : FONT,
          offsetY: place.kind === "incident" ? -32 : place.kind === "ambulance" ? 20 : 16,
          fill: new Fill({ color: important ? palette.ink : palette.quiet }),
          stroke: new Stroke({ color: palette.halo, width: 3 }),
        }),
      }),
    );
  }
  return styles;
}

function shapeOf(place: Place): Style {
  const halo = new Stroke({ color: palette.ground, width: 2 });
  const ring = new Stroke({ color: place.selected ? palette.selected : palette.ground, width: place.selected ? 3 : 2 });
  switch (place.kind) {
    case "station":
      return new Style({
        image: new RegularShape({ declutterMode: "none", points: 4, radius: 11, angle: Math.PI / 4, fill: new Fill({ color: palette.station }), stroke: ring }),
        text: new Text({ declutterMode: "none", text: "H", font: STRONG, fill: new Fill({ color: palette.ground }) }),
        zIndex: 5,
      });
    case "landing_point":
      return new Style({
        image: new CircleStyle({
          declutterMode: "none",
          radius: 6,
          fill: new Fill({ color: place.closed ? palette.ground : palette.landingPoint }),
          stroke: new Stroke({ color: place.selected ? palette.selected : place.closed ? palette.closedPoint : palette.ground, width: 2 }),
        }),
      });
    case "alternate":
      return new Style({
        image: new CircleStyle({
          declutterMode: "none",
          radius: place.selected ? 12 : 10,
          fill: new Fill({ color: place.selected ? palette.rally : "rgba(0, 0, 0, 0)" }),
          stroke: new Stroke({ color: place.closed ? palette.closedPoint : palette.rally, width: 3 }),
        }),
        zIndex: 6,
      });
    case "rally":
      return new Style({
        image: new RegularShape({
          declutterMode: "none",
          points: 4,
          radius: place.offered ? 12 : 8,
          fill: new Fill({ color: place.selected || !place.offered ? palette.ground : palette.rally }),
          stroke: new Stroke({ color: place.selected ? palette.selected : place.closed ? palette.closedPoint : palette.rally, width: place.selected ? 4 : 2 }),
        }),
        zIndex: 6,
      });
    case "ambulance":
      return new Style({
        // A cross; where it is not any more, hollow.
        image: new RegularShape({
          declutterMode: "none",
          points: 4,
          radius: 13,
          radius2: 5,
          fill: new Fill({ color: place.closed ? palette.ground : palette.ink }),
          stroke: place.closed ? new Stroke({ color: palette.stale, width: 2, lineDash: [3, 3] }) : halo,
        }),
        zIndex: 8,
      });
    case "found":
      return new Style({
        image: new CircleStyle({ declutterMode: "none", radius: 14, stroke: new Stroke({ color: palette.measure, width: 3 }) }),
        zIndex: 9,
      });
    case "incident":
      return new Style({
        image: new RegularShape({
          declutterMode: "none",
          points: 3,
          radius: place.selected ? 15 : 12,
          angle: Math.PI,
          displacement: [0, 10],
          fill: new Fill({ color: palette.incident }),
          stroke: new Stroke({ color: place.selected ? palette.selected : palette.ground, width: 2 }),
        }),
        zIndex: 10,
      });
  }
}
