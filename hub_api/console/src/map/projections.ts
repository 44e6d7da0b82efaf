import { addCoordinateTransforms, addProjection, fromLonLat, get, Projection, toLonLat } from "ol/proj";
import { gcj02ToWgs84, wgs84ToGcj02, type LonLat } from "./gcj02";

/** Web Mercator over GCJ-02 positions: the grid in which Chinese services cut their tiles. */
export const GCJ02_MERCATOR = "GCJ-02:3857";

/**
 * Teach OpenLayers that grid. A tile source that names it is drawn through these transformations, triangle by
 * triangle, so that a street lies where a drone over it is shown, at every place and scale, without one fixed shift.
 */
export function registerGcj02(): Projection {
  const known = get(GCJ02_MERCATOR);
  if (known !== null) return known;
  const mercator = get("EPSG:3857") as Projection;
  const projection = new Projection({ code: GCJ02_MERCATOR, units: "m", extent: mercator.getExtent(), global: true });
  addProjection(projection);
  addCoordinateTransforms(
    "EPSG:3857",
    projection,
    (at) => fromLonLat([...wgs84ToGcj02(toLonLat(at) as unknown as LonLat)]),
    (at) => fromLonLat([...gcj02ToWgs84(toLonLat(at) as unknown as LonLat)]),
  );
  addCoordinateTransforms(
    "EPSG:4326",
    projection,
    (at) => fromLonLat([...wgs84ToGcj02(at as unknown as LonLat)]),
    (at) => [...gcj02ToWgs84(toLonLat(at) as unknown as LonLat)],
  );
  return projection;
}
