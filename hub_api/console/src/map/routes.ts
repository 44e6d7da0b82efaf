import Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type { Geometry } from "ol/geom";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import type { Schemas } from "../api/client";
import type { Place } from "./places";
import { palette } from "./palette";

export type Plan = Schemas["FlightPlanView"];

const line = (color: string, width: number, lineDash: number[] = []): Stroke => new Stroke({ color, width, lineDash });
const HALO = new Style({ stroke: line(palette.halo, 6) });
const STYLES: Record<string, Style[]> = {
  outbound: [HALO, new Style({ stroke: line(palette.way, 2.5) })],
  inbound: [new Style({ stroke: line(palette.wayBack, 2, [8, 6]) })],
  autopilot_fence: [new Style({ stroke: line("rgba(147, 164, 181, 0.6)", 1, [2, 5]), fill: new Fill({ color: "rgba(86, 180, 233, 0.03)" }) })],
};
const OTHER_FLIGHTS = [new Style({ stroke: line("rgba(86, 180, 233, 0.55)", 1.2, [4, 4]) })];

/** Planned ways: the selected flight's in full with its corridor, every other flight's way out thinly. */
export class RouteLayer {
  readonly layer: VectorLayer<VectorSource>;
  #source = new VectorSource();
  #shown: readonly Plan[] = [];

  constructor(zIndex: number) {
    this.layer = new VectorLayer({ source: this.#source, style: (feature) => feature.get("look") as Style[], zIndex });
  }

  show(selected: Plan | null, others: readonly Plan[]): void {
    const wanted = selected === null ? others : [selected, ...others];
    if (wanted.length === this.#shown.length && wanted.every((plan, i) => plan === this.#shown[i])) return;
    this.#shown = wanted;
    this.#source.clear();
    for (const plan of others) this.#add(plan, (kind) => (kind === "outbound" ? OTHER_FLIGHTS : undefined));
    if (selected !== null) this.#add(selected, (kind) => STYLES[kind]);
  }

  #add(plan: Plan, look: (kind: string) => Style[] | undefined): void {
    const format = new GeoJSON({ featureProjection: "EPSG:3857" });
    const features = format.readFeatures({ type: "FeatureCollection", features: plan.features }) as Feature<Geometry>[];
    for (const feature of features) {
      const style = look(String(feature.get("kind")));
      if (style === undefined) continue;
      feature.set("look", style);
      this.#source.addFeature(feature);
    }
  }
}

type PointFeature = { properties: Record<string, unknown>; geometry: { type: string; coordinates: number[] } };

/** Rally points of a plan, in its order. */
export function rallyPoints(plan: Plan): Place[] {
  return pointsOf(plan, "rally").map(({ properties, geometry }) => ({
    kind: "rally",
    id: String(properties["index"]),
    label: `R${Number(properties["index"]) + 1}`,
    longitudeDeg: geometry.coordinates[0] ?? 0,
    latitudeDeg: geometry.coordinates[1] ?? 0,
  }));
}

function pointsOf(plan: Plan, kind: string): PointFeature[] {
  return (plan.features as unknown as PointFeature[]).filter((feature) => feature.properties["kind"] === kind);
}
