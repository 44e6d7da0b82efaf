/** Positions on the ground: WGS-84 degrees, metres. */

const EARTH_RADIUS_M = 6_371_008.8; // mean radius, IUGG
const MERCATOR_RADIUS_M = 6378137;
const RAD = Math.PI / 180;

/** Web Mercator x of a longitude; what the map's canvas is drawn in. */
export function mercatorX(longitudeDeg: number): number {
  return MERCATOR_RADIUS_M * longitudeDeg * RAD;
}

export function mercatorY(latitudeDeg: number): number {
  return MERCATOR_RADIUS_M * Math.log(Math.tan(Math.PI / 4 + (latitudeDeg * RAD) / 2));
}

/** Great-circle distance on the mean sphere: within 0.6 % of the ellipsoid, for people and not for flying. */
export function distanceM(from: readonly [number, number], to: readonly [number, number]): number {
  const [lon1, lat1, lon2, lat2] = [from[0] * RAD, from[1] * RAD, to[0] * RAD, to[1] * RAD];
  const a = Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin((lon2 - lon1) / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(a)));
}

/** First course from one place to another, degrees clockwise from true north, 0 ≤ course < 360. */
export function courseDeg(from: readonly [number, number], to: readonly [number, number]): number {
  const [lon1, lat1, lon2, lat2] = [from[0] * RAD, from[1] * RAD, to[0] * RAD, to[1] * RAD];
  const y = Math.sin(lon2 - lon1) * Math.cos(lat2);
  const x = Math.cos(lat1) * Math.sin(lat2) - Math.sin(lat1) * Math.cos(lat2) * Math.cos(lon2 - lon1);
  return (Math.atan2(y, x) / RAD + 360) % 360;
}

/** «842 m», «3.21 km». */
export function shownDistance(metres: number): string {
  return metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(2)} km`;
}

/** «22.55480, 113.88380»: latitude first, as people say it; five digits are a metre. */
export function shownPosition(latitudeDeg: number, longitudeDeg: number): string {
  return `${latitudeDeg.toFixed(5)}, ${longitudeDeg.toFixed(5)}`;
}

/** A position that somebody typed, «22.5548, 113.8838»; null for anything else. */
export function parsePosition(text: string): { latitudeDeg: number; longitudeDeg: number } | null {
  const match = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (match === null) return null;
  const [latitudeDeg, longitudeDeg] = [Number(match[1]), Number(match[2])];
  return Math.abs(latitudeDeg) <= 90 && Math.abs(longitudeDeg) <= 180 ? { latitudeDeg, longitudeDeg } : null;
}
