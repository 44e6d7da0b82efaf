import { get, transform } from "ol/proj";
import { expect, test } from "vitest";
import { gcj02Applies, gcj02ToWgs84, wgs84ToGcj02 } from "../src/map/gcj02";
import { GCJ02_MERCATOR, registerGcj02 } from "../src/map/projections";
import figures from "./gcj02.figures.json";

/** [longitude, latitude] WGS-84, then GCJ-02: computed by core/gcj02.py, which tests/property/core checks. */
const rows = figures as [number, number, number, number][];
/** 0.1 mm. */
const CLOSE_DEG = 1e-9;

test.each(rows)("%d, %d is where core/gcj02.py says", (longitude, latitude, gcjLongitude, gcjLatitude) => {
  const [x, y] = wgs84ToGcj02([longitude, latitude]);
  expect(Math.abs(x - gcjLongitude)).toBeLessThan(CLOSE_DEG);
  expect(Math.abs(y - gcjLatitude)).toBeLessThan(CLOSE_DEG);
  const [backX, backY] = gcj02ToWgs84([gcjLongitude, gcjLatitude]);
  expect(Math.abs(backX - longitude)).toBeLessThan(CLOSE_DEG);
  expect(Math.abs(backY - latitude)).toBeLessThan(CLOSE_DEG);
});

test("Hong Kong, Macau and the rest of the world are not shifted; Shenzhen is, by hundreds of metres", () => {
  expect(gcj02Applies([114.17, 22.3])).toBe(false);
  expect(gcj02Applies([113.545, 22.19])).toBe(false);
  expect(gcj02Applies([2.35, 48.85])).toBe(false);
  const [x] = wgs84ToGcj02([113.8838, 22.5548]);
  expect((x - 113.8838) * 102_800).toBeGreaterThan(300);
});

test("a GCJ-02 tile's corner is drawn where it belongs on the WGS-84 map", () => {
  registerGcj02();
  expect(get(GCJ02_MERCATOR)?.getUnits()).toBe("m");
  for (const [longitude, latitude, gcjLongitude, gcjLatitude] of rows) {
    const inTile = transform([gcjLongitude, gcjLatitude], "EPSG:4326", "EPSG:3857");
    const drawn = transform(inTile, GCJ02_MERCATOR, "EPSG:3857");
    const right = transform([longitude, latitude], "EPSG:4326", "EPSG:3857");
    expect(Math.hypot((drawn[0] ?? 0) - (right[0] ?? 0), (drawn[1] ?? 0) - (right[1] ?? 0))).toBeLessThan(0.001);
    const back = transform(right, "EPSG:3857", GCJ02_MERCATOR);
    expect(Math.hypot((back[0] ?? 0) - (inTile[0] ?? 0), (back[1] ?? 0) - (inTile[1] ?? 0))).toBeLessThan(0.001);
  }
});
