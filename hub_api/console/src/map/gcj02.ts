/**
 * GCJ-02 (火星坐标), as `core/gcj02.py` computes it: Chinese map services draw their tiles in it, 50–600 m off WGS-84.
 * Degrees; [longitude, latitude] as everywhere in the map. Used for tiles only: nothing that flies is converted here.
 */

export type LonLat = readonly [longitudeDeg: number, latitudeDeg: number];

const A_M = 6378245.0;
const E2 = 0.00669342162296594323;

// Hand-drawn along the Shenzhen river and the Zhuhai land border, as in core/gcj02.py.
const HONG_KONG: readonly LonLat[] = [
  [113.825, 22.13], [114.52, 22.13], [114.52, 22.56], [114.235, 22.55],
  [114.225, 22.545], [114.185, 22.555], [114.16, 22.56], [114.15, 22.548],
  [114.128, 22.535], [114.113, 22.5285], [114.09, 22.5225], [114.068, 22.5125],
  [114.05, 22.502], [114.02, 22.495], [113.95, 22.46], [113.89, 22.445],
  [113.825, 22.35],
];
const MACAU: readonly LonLat[] = [
  [113.528, 22.106], [113.605, 22.106], [113.605, 22.21], [113.558, 22.217],
  [113.548, 22.2165], [113.537, 22.212], [113.535, 22.17], [113.54, 22.145],
];

function inside(longitude: number, latitude: number, ring: readonly LonLat[]): boolean {
  let found = false;
  let [x2, y2] = ring[ring.length - 1] as LonLat;
  for (const [x1, y1] of ring) {
    const crosses = y1 > latitude !== y2 > latitude;
    if (crosses && longitude < ((x2 - x1) * (latitude - y1)) / (y2 - y1) + x1) found = !found;
    [x2, y2] = [x1, y1];
  }
  return found;
}

/** Whether map services shift this place: mainland China's box less Hong Kong and Macau. */
export function gcj02Applies([longitude, latitude]: LonLat): boolean {
  if (!(longitude >= 72.004 && longitude <= 137.8347 && latitude >= 0.8293 && latitude <= 55.8271)) return false;
  return !inside(longitude, latitude, HONG_KONG) && !inside(longitude, latitude, MACAU);
}

function offsetDeg([longitude, latitude]: LonLat): LonLat {
  const x = longitude - 105;
  const y = latitude - 35;
  const root = Math.sqrt(Math.abs(x));
  const pi = Math.PI;
  const wave = 20 * Math.sin(6 * x * pi) + 20 * Math.sin(2 * x * pi);
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root;
  north += ((wave + 20 * Math.sin(y * pi) + 40 * Math.sin((y / 3) * pi)) * 2) / 3;
  north += ((160 * Math.sin((y / 12) * pi) + 320 * Math.sin((y * pi) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root;
  east += ((wave + 20 * Math.sin(x * pi) + 40 * Math.sin((x / 3) * pi)) * 2) / 3;
  east += ((150 * Math.sin((x / 12) * pi) + 300 * Math.sin((x / 30) * pi)) * 2) / 3;
  const phi = (latitude * pi) / 180;
  const magic = 1 - E2 * Math.sin(phi) ** 2;
  const degrees = 180 / pi;
  return [
    (east / ((A_M / Math.sqrt(magic)) * Math.cos(phi))) * degrees,
    (north / ((A_M * (1 - E2)) / (magic * Math.sqrt(magic)))) * degrees,
  ];
}

/** Identity where GCJ-02 does not apply. */
export function wgs84ToGcj02(point: LonLat): LonLat {
  if (!gcj02Applies(point)) return point;
  const [east, north] = offsetDeg(point);
  return [point[0] + east, point[1] + north];
}

/** The inverse by fixed-point iteration, to 1e-10° where one exists; the rule's border strip is drawn, not refused. */
export function gcj02ToWgs84(point: LonLat): LonLat {
  if (!gcj02Applies(point)) return point;
  let [longitude, latitude] = point;
  for (let round = 0; round < 12; round += 1) {
    const [east, north] = offsetDeg([longitude, latitude]);
    const next: LonLat = [point[0] - east, point[1] - north];
    const moved = Math.max(Math.abs(next[0] - longitude), Math.abs(next[1] - latitude));
    [longitude, latitude] = next;
    if (moved < 1e-10) break;
  }
  return [longitude, latitude];
}
