import OlMap from "ol/Map";
import View from "ol/View";
import Attribution from "ol/control/Attribution";
import ScaleLine from "ol/control/ScaleLine";
import Draw from "ol/interaction/Draw";
import { defaults } from "ol/interaction/defaults";
import Feature from "ol/Feature";
import Circle from "ol/geom/Circle";
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import Polygon, { circular } from "ol/geom/Polygon";
import type BaseLayer from "ol/layer/Base";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat, toLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import type { Schemas } from "../api/client";
import type { Corner } from "../lib/zone-draft";
import { courseDeg, distanceM, shownDistance } from "../lib/geo";
import { baseLayers } from "./base";
import { palette } from "./palette";
import { type Place, PlaceLayer } from "./places";
import { RouteLayer } from "./routes";
import { ZoneLayer } from "./zones";

/** How things are called in the chosen language. */
export type Names = {
  zone: (zone: Schemas["ZoneProperties"]) => string;
  either: (en: string, zh: string) => string;
};

const CLOSE_M_PX = 4;
/** What is followed may move so far from the middle of the map, as a share of its shorter side. */
const MIDDLE_PART = 0.12;
const DURATION_MS = 250;

/** The map with its layers; what they show is given from outside. Used live and for looking back. */
export class Chart {
  readonly map: OlMap;
  readonly zones: ZoneLayer;
  readonly routes = new RouteLayer(20);
  readonly places = new PlaceLayer(30, "places");
  readonly marks = new PlaceLayer(40, "marks");
  readonly #base: BaseLayer[];
  #measure: Draw | null = null;
  #measured = new VectorSource();
  #draft = new VectorSource();

  constructor(target: HTMLElement, tiles: Schemas["TilesView"] | null, names: Names) {
    this.zones = new ZoneLayer(names.zone);
    this.zones.layer.setZIndex(10);
    this.#base = baseLayers(tiles, names.either);
    this.map = new OlMap({
      target,
      layers: [
        ...this.#base,
        this.zones.layer,
        this.routes.layer,
        this.places.layer,
        this.marks.layer,
        new VectorLayer({ source: this.#draft, style: DRAFT_STYLE, zIndex: 45 }),
        new VectorLayer({ source: this.#measured, style: measureStyle, zIndex: 50 }),
      ],
      view: new View({ center: fromLonLat([113.884, 22.572]), zoom: 13, minZoom: 3, maxZoom: 20, enableRotation: false }),
      controls: [new ScaleLine({ minWidth: 90 }), new Attribution({ collapsible: false })],
      // The page's own keys are used instead: a focus that the map steals would lose them.
      interactions: defaults({ altShiftDragRotate: false, pinchRotate: false, keyboard: false }),
    });
  }

  dispose(): void {
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  /** The language has changed. */
  redraw(): void {
    this.zones.redraw();
    for (const layer of this.#base) layer.changed();
  }

  /** Show all of these places (longitude, latitude), with room around them. */
  fit(points: readonly (readonly [number, number])[], padding = [70, 70, 70, 70]): void {
    if (points.length === 0) return;
    const line = new LineString(points.map((point) => fromLonLat([...point])));
    this.map.getView().fit(line.getExtent(), { padding, duration: DURATION_MS, minResolution: CLOSE_M_PX });
  }

  goTo(longitudeDeg: number, latitudeDeg: number): void {
    const view = this.map.getView();
    const resolution = Math.min(view.getResolution() ?? CLOSE_M_PX, CLOSE_M_PX);
    view.animate({ center: fromLonLat([longitudeDeg, latitudeDeg]), resolution, duration: DURATION_MS });
  }

  /**
   * Follow something that moves (Web Mercator): the map stands still until it leaves the middle, then goes after it. A map
   * that moves with every word of a drone is hard to read, and is drawn anew each time.
   */
  keepInMiddle(x: number, y: number): void {
    const view = this.map.getView();
    const [width, height] = this.map.getSize() ?? [0, 0];
    const [middleX, middleY] = view.getCenter() ?? [x, y];
    const awayPx = Math.hypot(x - (middleX ?? x), y - (middleY ?? y)) / (view.getResolution() ?? 1);
    if (awayPx < MIDDLE_PART * Math.min(width ?? 0, height ?? 0) || view.getAnimating()) return;
    view.animate({ center: [x, y], duration: DURATION_MS });
  }

  /** The station, landing point or patient that is drawn at a pixel. */
  placeAt(pixel: number[]): Place | undefined {
    const drawn = new Set<unknown>([this.places.layer, this.marks.layer]);
    return this.map.forEachFeatureAtPixel(pixel, (feature) => feature.get("place") as Place | undefined, { hitTolerance: 8, layerFilter: (layer) => drawn.has(layer) });
  }

  zoom(steps: number): void {
    const view = this.map.getView();
    view.animate({ zoom: (view.getZoom() ?? 13) + steps, duration: DURATION_MS });
  }

  pan(dx: number, dy: number): void {
    const view = this.map.getView();
    const [x, y] = view.getCenter() ?? [0, 0];
    const step = (view.getResolution() ?? 1) * 120;
    view.animate({ center: [(x ?? 0) + dx * step, (y ?? 0) + dy * step], duration: DURATION_MS / 2 });
  }

  get measuring(): boolean {
    return this.#measure !== null;
  }

  /** Draw a line and read its length and last course; a double click ends it, another start forgets it. */
  measure(on: boolean): void {
    if (this.#measure !== null) this.map.removeInteraction(this.#measure);
    this.#measure = null;
    this.#measured.clear();
    if (!on) return;
    this.#measure = new Draw({ source: this.#measured, type: "LineString", style: measureStyle });
    this.#measure.on("drawstart", () => this.#measured.clear());
    this.map.addInteraction(this.#measure);
  }

  /** A zone that is being made: a polygon of these corners, or a circle around the first of them. */
  showDraft(shape: "polygon" | "circle", corners: readonly Corner[], radiusM: number): void {
    this.#draft.clear();
    const points = corners.map((corner) => [corner.longitudeDeg, corner.latitudeDeg]);
    const [first] = points;
    if (first === undefined) return;
    const area = shape === "circle" && radiusM > 0 ? circular(first, radiusM, 64) : shape === "polygon" && points.length > 2 ? new Polygon([[...points, first]]) : null;
    const geometry = area ?? (points.length > 1 ? new LineString(points) : new Point(first));
    this.#draft.addFeature(new Feature(geometry.transform("EPSG:4326", "EPSG:3857")));
  }

  /** Let a person draw it: click the corners and double click the last, or click the middle and then the edge. Until the returned
   * function is called. */
  drawZone(shape: "polygon" | "circle", ondrawn: (corners: Corner[], radiusM: number | null) => void): () => void {
    const draw = new Draw({ type: shape === "circle" ? "Circle" : "Polygon", style: DRAFT_STYLE });
    const corner = (at: number[]): Corner => {
      const [longitudeDeg, latitudeDeg] = toLonLat(at);
      return { longitudeDeg: longitudeDeg ?? 0, latitudeDeg: latitudeDeg ?? 0 };
    };
    draw.on("drawend", ({ feature }) => {
      const geometry = feature.getGeometry();
      if (geometry instanceof Polygon) ondrawn((geometry.getCoordinates()[0] ?? []).slice(0, -1).map(corner), null);
      if (geometry instanceof Circle) {
        // The map's metres grow with the latitude; the zone's are the ground's.
        const middle = corner(geometry.getCenter());
        const edge = toLonLat(geometry.getLastCoordinate());
        ondrawn([middle], distanceM([middle.longitudeDeg, middle.latitudeDeg], [edge[0] ?? 0, edge[1] ?? 0]));
      }
    });
    this.map.addInteraction(draw);
    return () => this.map.removeInteraction(draw);
  }
}

const DRAFT_STYLE = new Style({
  fill: new Fill({ color: "rgba(240, 228, 66, 0.18)" }),
  stroke: new Stroke({ color: palette.measure, width: 2 }),
  image: new CircleStyle({ radius: 4, fill: new Fill({ color: palette.measure }) }),
});

function measureStyle(feature: { getGeometry: () => unknown }): Style[] {
  const geometry = feature.getGeometry();
  const dot = new CircleStyle({ radius: 4, fill: new Fill({ color: palette.measure }) });
  if (!(geometry instanceof LineString)) return [new Style({ image: dot })];
  const corners = geometry.getCoordinates().map((corner) => toLonLat(corner) as [number, number]);
  let metres = 0;
  for (let i = 1; i < corners.length; i += 1) metres += distanceM(corners[i - 1] ?? [0, 0], corners[i] ?? [0, 0]);
  const [before, last] = [corners[corners.length - 2], corners[corners.length - 1]];
  const course = before && last ? ` · ${String(Math.round(courseDeg(before, last)) % 360).padStart(3, "0")}°` : "";
  return [
    new Style({ stroke: new Stroke({ color: palette.halo, width: 5 }) }),
    new Style({ stroke: new Stroke({ color: palette.measure, width: 2, lineDash: [6, 4] }) }),
    new Style({
      geometry: new Point(geometry.getLastCoordinate()),
      image: dot,
      text: new Text({
        text: shownDistance(metres) + course,
        font: "bold 14px system-ui, sans-serif",
        offsetY: -16,
        fill: new Fill({ color: palette.measure }),
        stroke: new Stroke({ color: palette.halo, width: 4 }),
      }),
    }),
  ];
}
