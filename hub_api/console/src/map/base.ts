import Feature from "ol/Feature";
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import Polygon from "ol/geom/Polygon";
import Graticule from "ol/layer/Graticule";
import TileLayer from "ol/layer/Tile";
import type BaseLayer from "ol/layer/Base";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import Style from "ol/style/Style";
import XYZ from "ol/source/XYZ";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Text from "ol/style/Text";
import type { Schemas } from "../api/client";
import data from "./baoan.base.json";
import { palette } from "./palette";
import { GCJ02_MERCATOR, registerGcj02 } from "./projections";

type Tiles = Schemas["TilesView"];

/**
 * What lies under everything: the tiles of the settings; without any, water, runways and names for orientation and a
 * grid of degrees. `nameOf` chooses the language.
 */
export function baseLayers(tiles: Tiles | null, nameOf: (en: string, zh: string) => string): BaseLayer[] {
  return tiles === null ? [ownGround(nameOf), graticule()] : [tileLayer(tiles)];
}

const WATER = new Style({ fill: new Fill({ color: palette.water }), stroke: new Stroke({ color: "#24425c", width: 1 }) });
const RUNWAY = new Style({ stroke: new Stroke({ color: "#4a5d70", width: 4 }) });

function ownGround(nameOf: (en: string, zh: string) => string): VectorLayer<VectorSource> {
  const project = (at: number[]): number[] => fromLonLat(at);
  const water = data.water.map((rings) => new Feature(new Polygon(rings.map((ring) => ring.map(project)))));
  const runways = data.runways.map((ends) => new Feature(new LineString(ends.map(project))));
  const names = data.names.map((item) => {
    const feature = new Feature(new Point(project([item.longitude_deg, item.latitude_deg])));
    feature.set("name", item);
    return feature;
  });
  return new VectorLayer({
    source: new VectorSource({ features: [...water, ...runways, ...names] }),
    declutter: "base",
    style: (feature) => {
      const geometry = feature.getGeometry();
      if (geometry instanceof Polygon) return WATER;
      if (geometry instanceof LineString) return RUNWAY;
      const item = feature.get("name") as (typeof data.names)[number];
      return new Style({
        text: new Text({
          text: nameOf(item.name, item.name_zh),
          font: `${item.kind === "water" ? "italic " : ""}15px "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif`,
          fill: new Fill({ color: item.kind === "water" ? "#4d7396" : "#62778c" }),
        }),
      });
    },
  });
}

function tileLayer(tiles: Tiles): TileLayer<XYZ> {
  const gcj02 = tiles.reference_system === "GCJ-02";
  if (gcj02) registerGcj02();
  return new TileLayer({
    source: new XYZ({
      url: tiles.url,
      projection: gcj02 ? GCJ02_MERCATOR : "EPSG:3857",
      maxZoom: tiles.max_zoom,
      ...(tiles.attribution === "" ? {} : { attributions: tiles.attribution }),
      // A quarter of a pixel: the shift changes by centimetres across a tile.
      reprojectionErrorThreshold: 0.25,
    }),
    // Bright tiles under a night's console would blind: they are dimmed, not recoloured.
    className: "tiles",
  });
}

function graticule(): Graticule {
  const label = (textAlign: CanvasTextAlign): Text =>
    new Text({ textAlign, font: "11px system-ui, sans-serif", fill: new Fill({ color: "#5d7186" }), stroke: new Stroke({ color: palette.ground, width: 3 }), textBaseline: "bottom" });
  return new Graticule({
    strokeStyle: new Stroke({ color: palette.grid, width: 1 }),
    showLabels: true,
    wrapX: false,
    intervals: [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
    lonLabelFormatter: (lon) => `${lon.toFixed(3)}° E`,
    latLabelFormatter: (lat) => `${lat.toFixed(3)}° N`,
    lonLabelStyle: label("center"),
    latLabelStyle: label("end"),
  });
}
