import { parsePosition } from "./geo";

export type Datum = "agl" | "amsl";
export type ZoneDraft = {
  id: string;
  name: string;
  nameZh: string;
  restriction: "PROHIBITED" | "REQ_AUTHORISATION" | "CONDITIONAL";
  conditions: string;
  shape: "polygon" | "circle";
  /** «latitude, longitude» a line, WGS-84; of a circle its middle alone. */
  corners: string;
  radiusM: number | null;
  /** null: from the ground, without end. */
  floorM: number | null;
  floorDatum: Datum;
  ceilingM: number | null;
  ceilingDatum: Datum;
  /** With their offset from UTC; null: always. */
  from: string | null;
  until: string | null;
};

export type Corner = { latitudeDeg: number; longitudeDeg: number };

/** The corners that were typed or drawn; null where a line is no position. Empty lines are nothing. */
export function cornersOf(text: string): Corner[] | null {
  const found: Corner[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const corner = parsePosition(line);
    if (corner === null) return null;
    found.push(corner);
  }
  return found;
}

/** What is missing or cannot be: the field; null when the draft can be sent. The hub judges everything else. */
export function faultOf(draft: ZoneDraft): "corners" | "radius" | "heights" | "validity" | null {
  const corners = cornersOf(draft.corners);
  if (corners === null || (draft.shape === "circle" ? corners.length !== 1 : corners.length < 3)) return "corners";
  if (draft.shape === "circle" && !((draft.radiusM ?? 0) > 0)) return "radius";
  const sameDatum = draft.floorDatum === draft.ceilingDatum;
  if (sameDatum && draft.floorM !== null && draft.ceilingM !== null && draft.floorM >= draft.ceilingM) return "heights";
  if ((draft.from === null) !== (draft.until === null)) return "validity";
  if (draft.from !== null && draft.until !== null && Date.parse(draft.from) >= Date.parse(draft.until)) return "validity";
  return null;
}

/** As a zone file of the hub (plain GeoJSON: geofences/readers/geojson.py). */
export function geoJsonOf(draft: ZoneDraft): object {
  const points = (cornersOf(draft.corners) ?? []).map((corner) => [corner.longitudeDeg, corner.latitudeDeg]);
  const geometry =
    draft.shape === "circle"
      ? { type: "Point", coordinates: points[0] }
      : { type: "Polygon", coordinates: [[...points, ...points.slice(0, 1)]] };
  const properties = {
    identifier: draft.id,
    name: draft.name,
    name_zh: draft.nameZh,
    restriction: draft.restriction,
    position_quality: "approximate",
    source: "drawn at the console",
    ...(draft.restriction === "CONDITIONAL" && { conditions: draft.conditions }),
    ...(draft.shape === "circle" && { radius_m: draft.radiusM }),
    ...(draft.floorM !== null && { [`lower_m_${draft.floorDatum}`]: draft.floorM }),
    ...(draft.ceilingM !== null && { [`upper_m_${draft.ceilingDatum}`]: draft.ceilingM }),
    ...(draft.from !== null && { applicability: [{ permanent: "NO", startDateTime: draft.from, endDateTime: draft.until }] }),
  };
  return { type: "FeatureCollection", features: [{ type: "Feature", geometry, properties }] };
}
