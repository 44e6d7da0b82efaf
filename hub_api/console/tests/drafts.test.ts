import { expect, test } from "vitest";
import { withOffset } from "../src/lib/local-time";
import { cornersOf, faultOf, geoJsonOf, type ZoneDraft } from "../src/lib/zone-draft";

const DRAFT: ZoneDraft = {
  id: "Z-1", name: "Fair", nameZh: "集市", restriction: "PROHIBITED", conditions: "", shape: "polygon",
  corners: "22.55, 113.88\n22.55, 113.89\n\n22.56, 113.89\n", radiusM: null,
  floorM: null, floorDatum: "agl", ceilingM: 120, ceilingDatum: "agl",
  from: "2026-12-01T08:30:00+08:00", until: "2026-12-01T18:00:00+08:00",
};

test("a moment of an input is the site's, with its offset", () => {
  expect(withOffset("2026-12-01T08:30", "Asia/Shanghai")).toBe("2026-12-01T08:30:00+08:00");
  expect(withOffset("2026-07-01T08:30", "America/New_York")).toBe("2026-07-01T08:30:00-04:00");
  expect(withOffset("2026-12-01T08:30", "Asia/Kolkata")).toBe("2026-12-01T08:30:00+05:30");
  expect(withOffset("2026-03-08T03:30", "America/New_York")).toBe("2026-03-08T03:30:00-04:00");
  expect(withOffset("yesterday", "UTC")).toBeNull();
});

test("corners are latitude first, and what is no position is not guessed", () => {
  expect(cornersOf("22.55, 113.88\n\n22.56 113.89")).toEqual([
    { latitudeDeg: 22.55, longitudeDeg: 113.88 },
    { latitudeDeg: 22.56, longitudeDeg: 113.89 },
  ]);
  expect(cornersOf("22.55")).toBeNull();
});

test("a drawn zone is a closed ring, longitude first, with its limits, kind and period", () => {
  const { features } = geoJsonOf(DRAFT) as { features: { geometry: unknown; properties: Record<string, unknown> }[] };
  expect(features[0]?.geometry).toEqual({
    type: "Polygon",
    coordinates: [[[113.88, 22.55], [113.89, 22.55], [113.89, 22.56], [113.88, 22.55]]],
  });
  expect(features[0]?.properties).toMatchObject({ identifier: "Z-1", upper_m_agl: 120, restriction: "PROHIBITED" });
  expect(features[0]?.properties).not.toHaveProperty("lower_m_agl");
  expect(features[0]?.properties["applicability"]).toEqual([
    { permanent: "NO", startDateTime: DRAFT.from, endDateTime: DRAFT.until },
  ]);
});

test.each<[Partial<ZoneDraft>, string | null]>([
  [{}, null],
  [{ corners: "22.55, 113.88\n22.56, 113.89" }, "corners"],
  [{ corners: "here" }, "corners"],
  [{ shape: "circle", corners: "22.55, 113.88" }, "radius"],
  [{ shape: "circle", corners: "22.55, 113.88", radiusM: 50 }, null],
  [{ floorM: 150 }, "heights"],
  [{ floorM: 150, floorDatum: "amsl" }, null],
  [{ from: null }, "validity"],
  [{ until: "2026-12-01T08:00:00+08:00" }, "validity"],
  [{ from: null, until: null }, null],
])("%o lacks %s", (changes, fault) => expect(faultOf({ ...DRAFT, ...changes })).toBe(fault));
